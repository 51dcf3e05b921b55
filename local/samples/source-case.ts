import type { CaseBuilder } from "./builder.ts";
import { sentence } from "./content/words.ts";
import { addFamily, addNative, addPdf, type AddedDocument } from "./documents.ts";
import { beginCase, daysAgo, type Making } from "./making.ts";
import { oddNames, outsider, people } from "./names.ts";
import { addReviewWork, type Vocabulary } from "./review-work.ts";
import { reviewedDocument, type ReviewedDocument } from "./annotations.ts";
import { documentsInFolder, documentsWithLabel } from "./selections.ts";

/** What the maker of a source case knows of it: selections and the documents that they mean, for checks. */
export interface SourceKnowledge {
  caseId: number;
  /** Every document. */
  documentIds: string[];
  /** The label "Hot" and the documents that have it. */
  hot: { labelId: string; documentIds: string[] };
  /** The folder "Production" and the documents in it and in its sub-folders. */
  folder: { folderTagId: string; documentIds: string[] };
  /** The one document whose PDF is missing on S3; it is hot. */
  missingDocumentId: string;
  /** Documents with annotations of every kind; all of them are hot. */
  reviewed: ReviewedDocument[];
}

/** The source case: 61 hot documents and 21 others; equal for equal seed and `now`. */
export async function sourceCase(
  caseId: number,
  seed: number,
  now: Date,
): Promise<{ builder: CaseBuilder; knowledge: SourceKnowledge }> {
  const making = beginCase(caseId, { firstId: 1001, seed, now });
  const { builder } = making;
  const { vocabulary, hot, cold, production, mallory } = addVocabulary(making);

  const hotDocuments: AddedDocument[] = [];
  const reviewed: ReviewedDocument[] = [];
  for (let index = 0; index < 36; index++) {
    // Every seventh document is two exhibits, of which one is hot.
    const exhibits = index % 7 === 6 ? 2 : 1;
    const serial = builder.of("documents").length;
    const annotated = index % 5 === 1;
    const document = await addPdf(making, oddNames[index] ?? `report ${index}.pdf`, { exhibits, annotated });
    hotDocuments.push(document);
    if (annotated) reviewed.push(reviewedDocument(document, serial));
  }
  for (let index = 0; index < 6; index++) {
    hotDocuments.push(...(await addFamily(making, `Re: ${sentence(making.random, "greek", 3)} 📎${index}`, index % 3)));
  }
  for (let index = 0; index < 10; index++) hotDocuments.push(await addNative(making, index));

  const coldDocuments: AddedDocument[] = [];
  for (let index = 0; index < 14; index++) {
    coldDocuments.push(await addPdf(making, `cold ${index}.pdf`, { exhibits: index === 0 ? 0 : 1 }));
  }
  for (let index = 0; index < 4; index++) coldDocuments.push(await addNative(making, index));
  // A family of which one attachment is hot and the e-mail is not: the attachment arrives without its parent.
  const [mail, attachment, ...others] = await addFamily(making, "Cold mail", 2);
  if (mail) coldDocuments.push(mail, ...others);
  if (attachment) hotDocuments.push(attachment);

  for (const [index, document] of hotDocuments.entries()) {
    addReviewWork(making, document, vocabulary, { labelId: hot, folderId: index % 3 ? undefined : production });
  }
  for (const document of coldDocuments) {
    addReviewWork(making, document, vocabulary, { labelId: cold, custodianId: mallory });
  }

  const missingDocumentId = loseOneObject(builder, hotDocuments);
  return {
    builder,
    knowledge: {
      caseId,
      documentIds: builder.of("documents").map(({ id }) => String(id)),
      hot: { labelId: String(hot), documentIds: documentsWithLabel(builder, hot) },
      folder: { folderTagId: String(production), documentIds: documentsInFolder(builder, production) },
      missingDocumentId,
      reviewed,
    },
  };
}

/** A PDF of which the row is there and the object is not, as after a careless clean-up of the bucket. */
function loseOneObject(builder: CaseBuilder, documents: readonly AddedDocument[]): string {
  const documentId = documents[documents.length >> 1]?.documentId;
  const lost = builder.of("document_variants").find((file) => file["document_id"] === documentId);
  builder.objects.delete(String(lost?.["s3_key"]));
  return String(documentId);
}

function addVocabulary(making: Making) {
  const { builder } = making;
  const created_at = daysAgo(making, 400);
  const users = ["Rita Reviewer", "Олег Рецензент", "レビュー 太郎", "Lee 🦉"].map((name, index) =>
    builder.add("users", { email: `reviewer${index}@example.com`, name, created_at }),
  );
  const custodian = (person: { name: string; email: string | null }) =>
    builder.add("custodians", { ...person, created_at });
  const custodians = people.map(custodian);
  const mallory = custodian(outsider);

  const codes = (
    [
      ["Confidential", 0],
      ["Attorneys' Eyes Only", 1],
      ["Streng vertraulich – Größe", 5],
      ["Совершенно секретно 🔒", 63],
    ] as const
  ).map(([name, bit]) => ({ bit, id: builder.add("confidentiality_codes", { name, bit_index: bit, created_at }) }));

  const category = (name: string, position: number) => builder.add("label_categories", { name, position });
  const categories = [category("Priority", 1), category("Issues", 2), category("Темы 💼", 3)] as const;
  const label = (name: string, category: number, color: string | null) => {
    const label_id = builder.add("labels", { name, color, description: null, created_at });
    builder.link("label_category_labels", { label_category_id: category, label_id });
    return label_id;
  };
  const hot = label("Hot", categories[0], "#ff0000");
  const cold = label("Cold", categories[0], "#0000ff");
  const labels = [
    label("Damages", categories[1], null),
    label("Größe", categories[1], "#00ff00"),
    label("привилегия", categories[2], null),
    label("🔥 Urgent", categories[2], "#ff8800"),
    label("🧊 Later", categories[2], "#0088ff"),
  ];
  // A label may be of two categories.
  builder.link("label_category_labels", { label_category_id: categories[2], label_id: hot });

  const folder = (name: string, parent_id: number | null) =>
    builder.add("folder_tags", { parent_id, name, created_at });
  const production = folder("Production", null);
  const volume = folder("Volume 1", production);
  const mails = folder("E-mails 📧", volume);
  const evidence = folder("Evidence", null);
  const contracts = folder("Договоры", evidence);
  // The same name as below "Production", elsewhere in the tree.
  const otherVolume = folder("Volume 1", contracts);
  const folders = [volume, mails, contracts, otherVolume];

  const field = (name: string, field_type: string, choices: readonly string[] | null = null) =>
    builder.add("custom_fields", { name, field_type, choices: choices && JSON.stringify(choices) });
  const choices = ["Ja", "Nein", "vielleicht 🤷"];
  const fields: Vocabulary["fields"] = [
    { id: field("Review note", "text"), value: ({ random }) => random.pick(["", null, sentence(random, "cjk")]) },
    { id: field("Amount", "number"), value: ({ random }) => `${random.int(-9, 9)}.${random.int(10, 99)}` },
    { id: field("Due", "date"), value: (of) => daysAgo(of, 10).slice(0, 10) },
    { id: field("Signed", "boolean"), value: ({ random }) => random.pick(["0", "1"]) },
    { id: field("Übernehmen?", "choice", choices), value: ({ random }) => random.pick(choices) },
  ];
  return { vocabulary: { users, custodians, codes, labels, folders, fields }, hot, cold, production, mallory };
}
