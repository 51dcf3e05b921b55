import { scripts, sentence } from "./content/words.ts";
import { daysAgo, type Making } from "./making.ts";
import type { AddedDocument } from "./documents.ts";

/** The ids of what reviewers hang on exhibits. */
export interface Vocabulary {
  users: number[];
  custodians: number[];
  codes: { id: number; bit: number }[];
  labels: number[];
  folders: number[];
  fields: { id: number; value: (making: Making) => string | null }[];
}

/** Hangs something of everything on a document's exhibits: the first gets the given label and folder. */
export function addReviewWork(
  making: Making,
  document: AddedDocument,
  vocabulary: Vocabulary,
  given: { labelId: number; folderId?: number | undefined; custodianId?: number | undefined },
): void {
  const { builder, random } = making;
  for (const [index, exhibit_id] of document.exhibitIds.entries()) {
    const custodians = random.some(vocabulary.custodians, random.int(0, 3));
    if (given.custodianId !== undefined) custodians.push(given.custodianId);
    for (const [place, custodian_id] of custodians.entries()) {
      builder.link("custodian_exhibits", { custodian_id, exhibit_id, is_primary: place === 0 ? 1 : 0 });
    }
    const labels = random.some(vocabulary.labels, random.int(0, 2));
    if (index === 0) labels.push(given.labelId);
    for (const label_id of labels) {
      builder.link("exhibit_labels", { exhibit_id, label_id, created_at: daysAgo(making, 40) });
    }
    const folders = random.some(vocabulary.folders, random.int(0, 1));
    if (given.folderId !== undefined && index === 0) folders.push(given.folderId);
    for (const folder_tag_id of folders) {
      builder.link("folder_taggings", { folder_tag_id, exhibit_id, created_at: daysAgo(making, 39) });
    }
    for (const field of random.some(vocabulary.fields, random.int(0, vocabulary.fields.length))) {
      builder.add("custom_field_values", { custom_field_id: field.id, exhibit_id, value: field.value(making) });
    }
    addCodes(making, exhibit_id, vocabulary);
    addRelevancyLog(making, exhibit_id, vocabulary);
    addThread(making, exhibit_id, vocabulary);
    addStamps(making, document, exhibit_id);
  }
}

/** Sets codes on an exhibit: the bits of its status, and the log of who set what. */
function addCodes(making: Making, exhibitId: number, { codes, users }: Vocabulary): void {
  const { builder, random } = making;
  const chosen = random.some(codes, random.int(0, 2));
  const status = chosen.reduce((bits, { bit }) => bits | (1n << BigInt(bit)), 0n);
  builder.change("exhibits", exhibitId, { confidentiality_status: status });
  for (const { id } of chosen) {
    builder.add("confidentiality_logs", {
      exhibit_id: exhibitId,
      confidentiality_code_id: id,
      user_id: random.pick([null, ...users]),
      action: "set",
      note: random.pick([null, sentence(random, random.pick(scripts))]),
      created_at: daysAgo(making, 30),
    });
  }
}

function addRelevancyLog(making: Making, exhibitId: number, { users }: Vocabulary): void {
  const { builder, random } = making;
  for (let entry = random.int(0, 2); entry > 0; entry--) {
    builder.add("relevancy_logs", {
      exhibit_id: exhibitId,
      user_id: random.pick([null, ...users]),
      old_relevancy: random.pick([null, "unsure"]),
      new_relevancy: random.pick(["relevant", "privileged", null]),
      note: random.pick([null, "", sentence(random, random.pick(scripts))]),
      created_at: daysAgo(making, 20 + entry),
    });
  }
}

/** A comment, answers to it, and answers to those. */
function addThread(making: Making, exhibitId: number, { users }: Vocabulary): void {
  const { builder, random } = making;
  let parent: number | null = null;
  for (let depth = random.int(0, 3); depth > 0; depth--) {
    const written = daysAgo(making, 10 + depth);
    parent = builder.add("comments", {
      exhibit_id: exhibitId,
      parent_id: parent,
      user_id: random.pick([null, ...users]),
      position: random.pick([null, 1]),
      body: `${sentence(random, random.pick(scripts))} ${random.pick(["👍", "🤔", "§ 5", ""])}`,
      created_at: written,
      updated_at: written,
    });
  }
}

/** Bates numbers run on from page to page through the whole case. */
function addStamps({ builder }: Making, { documentId, pages }: AddedDocument, exhibitId: number): void {
  const stamps = Array.from({ length: pages }, (_, index) => {
    const number = builder.of("bates_stamps").length + 1;
    const stamp = `ACME-${String(number).padStart(7, "0")}`;
    builder.add("bates_stamps", { exhibit_id: exhibitId, position: index + 1, prefix: "ACME-", number, stamp });
    return stamp;
  });
  const [first = null, last = null] = [stamps.at(0), stamps.at(-1)];
  if (first) builder.change("documents", documentId, { bates_first: first, bates_last: last });
}
