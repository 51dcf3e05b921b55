import type { CaseBuilder } from "./builder.ts";

/** The documents of which an exhibit has the label, by number. */
export function documentsWithLabel(builder: CaseBuilder, labelId: number): string[] {
  const tagged = builder.of("exhibit_labels").filter((row) => row["label_id"] === labelId);
  return documentsOf(builder, new Set(tagged.map((row) => row["exhibit_id"])));
}

/** The documents of which an exhibit is in the folder or anywhere below it, by number. */
export function documentsInFolder(builder: CaseBuilder, folderTagId: number): string[] {
  const folders = new Set<unknown>([folderTagId]);
  // Parents come before their children.
  for (const row of builder.of("folder_tags")) if (folders.has(row["parent_id"])) folders.add(row["id"]);
  const tagged = builder.of("folder_taggings").filter((row) => folders.has(row["folder_tag_id"]));
  return documentsOf(builder, new Set(tagged.map((row) => row["exhibit_id"])));
}

function documentsOf(builder: CaseBuilder, exhibits: ReadonlySet<unknown>): string[] {
  const chosen = builder.of("exhibits").filter((row) => exhibits.has(row["id"]));
  const documents = new Set(chosen.map((row) => Number(row["document_id"])));
  return [...documents].sort((a, b) => a - b).map(String);
}
