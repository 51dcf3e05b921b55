import type { CaseBuilder } from "./builder.ts";
import { addFamily, addPdf, type AddedDocument } from "./documents.ts";
import { beginCase, daysAgo, type Making } from "./making.ts";
import { addReviewWork, type Vocabulary } from "./review-work.ts";

/**
 * The destination case: in use already. It has documents of its own, and names that the source has too, written
 * with other case and accents; one code is there under the same name on another bit.
 */
export async function destinationCase(caseId: number, seed: number, now: Date): Promise<CaseBuilder> {
  const making = beginCase(caseId, { firstId: 1, seed, now });
  const { vocabulary, hot, volume } = addVocabulary(making);
  const documents: AddedDocument[] = await addFamily(making, "Destination mail", 2);
  for (let index = 0; index < 6; index++) documents.push(await addPdf(making, `own ${index}.pdf`));
  for (const document of documents) {
    addReviewWork(making, document, vocabulary, { labelId: hot, folderId: volume });
  }
  return making.builder;
}

function addVocabulary(making: Making) {
  const { builder } = making;
  const created_at = daysAgo(making, 300);
  const users = ["reviewer0@example.com", "REVIEWER1@example.com", "own@example.com"].map((email) =>
    builder.add("users", { email, name: `Known as ${email}`, created_at }),
  );
  const custodians = ["jose garcia", "ADA LOVELACE", "Own Custodian", "王小明"].map((name) =>
    builder.add("custodians", { name, email: null, created_at }),
  );
  const codes = (
    [
      ["Public", 0],
      ["Internal", 2],
      ["CONFIDENTIAL", 7],
    ] as const
  ).map(([name, bit]) => ({ bit, id: builder.add("confidentiality_codes", { name, bit_index: bit, created_at }) }));

  const priority = builder.add("label_categories", { name: "priority", position: 9 });
  const own = builder.add("label_categories", { name: "Own category", position: 1 });
  const label = (name: string, label_category_id: number) => {
    const label_id = builder.add("labels", { name, color: "#123456", description: "own", created_at });
    builder.link("label_category_labels", { label_category_id, label_id });
    return label_id;
  };
  const hot = label("HOT", priority);
  const labels = [label("grosse", own), label("Own label", own)];

  const folder = (name: string, parent_id: number | null) =>
    builder.add("folder_tags", { parent_id, name, created_at });
  const volume = folder("VOLUME 1", folder("production", null));
  const folders = [folder("Own folder", null)];

  const field = (name: string, field_type: string) => builder.add("custom_fields", { name, field_type, choices: null });
  const fields: Vocabulary["fields"] = [
    { id: field("review NOTE", "text"), value: () => "own value" },
    // The source has a field of that name and another type.
    { id: field("Amount", "text"), value: () => "a lot" },
  ];
  return { vocabulary: { users, custodians, codes, labels, folders, fields }, hot, volume };
}
