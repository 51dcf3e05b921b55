/** What became of the annotations of one exchange: in Document Engine, in the PDFs, and in the full-text index. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { engineDocumentId, routeOf, type EngineRecord } from "../../contracts/annotations.ts";
import { exhibitPrefix, pageTextKey, textPrefix } from "../../contracts/names.ts";
import type { ReviewedDocument } from "../samples/annotations.ts";
import type { EngineDocumentSeen, EngineReader } from "./engine-documents.ts";
import { placeOf, targetOf, type Carrying } from "./expected.ts";
import type { Finding } from "./finding.ts";
import { differ, heldOf, livingOf, pictureOf, textsOf } from "./independent-pdf.ts";
import type { Annotated } from "./scope.ts";

export interface AnnotationCounts {
  /** Annotations that became part of pages, and are seen there. */
  branded: number;
  /** Annotations that arrived live. */
  layers: number;
  comments: number;
  /** Redactions under which nothing is left. */
  redactionsProven: number;
  /** Places where something that is hidden can be read. */
  leaks: number;
}

export interface AnnotationsVerdict {
  problems: Finding[];
  counts: AnnotationCounts;
  /** Documents that are in the full-text index. */
  indexed: number;
  /** The reviewed exhibits, as the index shall know them. */
  searchable: { exhibitId: string; documentId: string; hidden: readonly string[]; kept: readonly string[] }[];
  /** `table key` of destination rows, and keys of objects, that the exchange accounts for. */
  rows: Set<string>;
  keys: Set<string>;
}

/** One exhibit on both sides. */
interface Exhibit {
  name: string;
  exhibitId: string;
  documentId: string;
  before: EngineDocumentSeen;
  after: EngineDocumentSeen;
  known: ReviewedDocument["exhibits"][number] | undefined;
}

/** Looks at every exhibit of the exchange that has a PDF. */
export async function examineAnnotations(
  carrying: Carrying,
  annotated: Annotated,
  engine: EngineReader,
): Promise<AnnotationsVerdict> {
  const counts = { branded: 0, layers: 0, comments: 0, redactionsProven: 0, leaks: 0 };
  const verdict: AnnotationsVerdict = {
    problems: [],
    counts,
    indexed: 0,
    searchable: [],
    rows: new Set(),
    keys: new Set(),
  };
  const indexed = new Set<string>();
  for (const row of carrying.scope.get("exhibits") ?? []) {
    const exhibit = await exhibitOf(carrying, annotated, engine, String(row["id"]));
    if (!exhibit) continue;
    if (typeof exhibit === "string") verdict.problems.push({ about: "wrong annotation", text: exhibit });
    else {
      judgeRecords(exhibit, annotated, verdict);
      await judgePdf(exhibit, annotated, verdict);
      if (judgeIndex(carrying, exhibit, annotated, (await textsOf(exhibit.after.pdf)).length, verdict)) {
        indexed.add(exhibit.documentId);
      }
      const { exhibitId, documentId, known } = exhibit;
      if (known) verdict.searchable.push({ exhibitId, documentId, hidden: known.hidden, kept: known.kept });
    }
  }
  verdict.indexed = indexed.size;
  return verdict;
}

/** Undefined: the exhibit shows no PDF. A sentence: it should, and does not. */
async function exhibitOf(
  carrying: Carrying,
  { batchId, destinationCaseId, reviewed }: Annotated,
  engine: EngineReader,
  sourceExhibitId: string,
): Promise<Exhibit | string | undefined> {
  const exhibitId = targetOf(carrying, "exhibits", sourceExhibitId);
  if (exhibitId === undefined) return undefined;
  const source = (carrying.scope.get("exhibits") ?? []).find(({ id }) => id === sourceExhibitId);
  const sourceDocumentId = String(source?.["document_id"]);
  const document = (carrying.scope.get("documents") ?? []).find(({ id }) => id === sourceDocumentId);
  const before = await engine.document(
    engineDocumentId({
      caseId: carrying.sourceCaseId,
      batchId: String(document?.["batch_id"]),
      documentId: sourceDocumentId,
      exhibitId: sourceExhibitId,
    }),
  );
  if (!before) return undefined;
  const { documentId } = placeOf(carrying, sourceExhibitId);
  const id = engineDocumentId({ caseId: destinationCaseId, batchId, documentId, exhibitId });
  const after = await engine.document(id);
  if (!after) return `exhibit ${sourceExhibitId} is not in Document Engine: there is no ${id}`;
  const known = reviewed
    .find((one) => one.documentId === sourceDocumentId)
    ?.exhibits.find((one) => one.exhibitId === sourceExhibitId);
  return { name: `exhibit ${sourceExhibitId}`, exhibitId, documentId, before, after, known };
}

/** What became of one annotation, as the request has it. */
function fateOf(record: EngineRecord, { before, known }: Exhibit, { choices }: Annotated): Fate {
  const route = routeOf(record.content, choices);
  if (!route) return "stays";
  const thread = before.comments.get(record.id) ?? [];
  const quotes = known?.hidden.some((word) => JSON.stringify([record, thread]).includes(word));
  if (route.as === "layer") return quotes ? "withheld" : route.type === "comments" ? "thread" : "layered";
  if (route.type === "redactions") return "redacts";
  const areas = before.annotations
    .filter(({ content }) => content.type === "pspdfkit/markup/redaction" && choices.redactionsAs === "brand_in")
    .filter(({ content }) => content["pageIndex"] === record.content["pageIndex"])
    .flatMap(({ content }) => (content["rects"] ?? [content["bbox"]]) as Area[]);
  return areas.some((area) => touch(area, record.content["bbox"] as Area)) ? "swallowed" : "branded";
}
type Fate = "stays" | "withheld" | "thread" | "layered" | "redacts" | "swallowed" | "branded";
type Area = [left: number, top: number, width: number, height: number];

function touch([l, t, w, h]: Area, [left, top, width, height]: Area): boolean {
  return l <= left + width && left <= l + w && t <= top + height && top <= t + h;
}

/** Everything live is what it was, and nothing else is live. */
function judgeRecords(exhibit: Exhibit, annotated: Annotated, { problems, counts }: AnnotationsVerdict): void {
  const { before, after, name } = exhibit;
  const fates = Map.groupBy(before.annotations, (record) => fateOf(record, exhibit, annotated));
  const live = [...(fates.get("layered") ?? []), ...(fates.get("thread") ?? [])];
  const arrived = new Map(after.annotations.map((record) => [likeness(record), record]));
  for (const record of live) {
    const found = arrived.get(likeness(record));
    if (!found) problem(`${record.content.type} ${record.id} has not arrived as it was`);
    else if (fateOf(record, exhibit, annotated) === "thread") {
      const [had, has] = [before.comments.get(record.id) ?? [], after.comments.get(found.id) ?? []];
      if (JSON.stringify(had.map(saying)) !== JSON.stringify(has.map(saying)))
        problem(`thread ${record.id} is not what it was`);
      counts.comments += has.length;
    } else counts.layers += 1;
  }
  if (after.annotations.length !== live.length) {
    problem(`shows ${after.annotations.length} annotations, not ${live.length}`);
  }
  const shown = JSON.stringify([after.annotations, [...after.comments.values()]]);
  for (const word of exhibit.known?.hidden ?? []) if (shown.includes(word)) leak(`its annotations say ${word}`);

  function problem(text: string) {
    problems.push({ about: "wrong annotation", text: `${name}: ${text}` });
  }
  function leak(text: string) {
    counts.leaks += 1;
    problems.push({ about: "leak", text: `${name}: ${text}` });
  }
}

/** An annotation but for what is its own in each document. */
function likeness({ content }: EngineRecord): string {
  const own = new Set(["id", "pdfObjectId", "isCommentThreadRoot"]);
  return JSON.stringify(
    Object.entries(content)
      .filter(([name]) => !own.has(name))
      .sort(),
  );
}

function saying({ content }: EngineRecord): unknown[] {
  return ["text", "creatorName", "createdAt"].map((name) => content[name]);
}

/** What was to become part of pages is seen there; what was to be hidden is not, neither shown nor in the file. */
async function judgePdf(
  exhibit: Exhibit,
  annotated: Annotated,
  { problems, counts }: AnnotationsVerdict,
): Promise<void> {
  const { before, after, name, known } = exhibit;
  const fates = Map.groupBy(before.annotations, (record) => fateOf(record, exhibit, annotated));
  const branded = fates.get("branded") ?? [];
  const redactions = fates.get("redacts") ?? [];
  if (branded.length + redactions.length === 0) {
    if (Buffer.compare(before.pdf, after.pdf) !== 0) {
      problems.push({ about: "wrong annotation", text: `${name}: its PDF is another, though nothing was drawn on it` });
    }
    return;
  }
  if ((await livingOf(after.pdf)).flat().length > 0) {
    problems.push({
      about: "wrong annotation",
      text: `${name}: annotations live in its PDF that should be part of it`,
    });
  }
  const text = (await textsOf(after.pdf)).join(" ");
  const hidden = known?.hidden ?? [];
  const held = await heldOf(after.pdf, hidden);
  const found = hidden.filter((word) => text.includes(word) || held.includes(word));
  for (const word of found) problems.push({ about: "leak", text: `${name}: its PDF has ${word}, which is redacted` });
  for (const word of (known?.kept ?? []).filter((word) => !text.includes(word))) {
    problems.push({ about: "wrong annotation", text: `${name}: its PDF lacks ${word}, which nothing covers` });
  }
  counts.leaks += found.length;
  if (known && found.length === 0) counts.redactionsProven += redactions.length;
  for (const [page, ofPage] of Map.groupBy(branded, ({ content }) => Number(content["pageIndex"]))) {
    const [was, is] = [await pictureOf(before.pdf, page), await pictureOf(after.pdf, page)];
    for (const { id, content } of ofPage) {
      if (differ(was, is, content["bbox"] as Area)) counts.branded += 1;
      else problems.push({ about: "wrong annotation", text: `${name}: ${content.type} ${id} is not seen on its page` });
    }
    if (annotated.picturesDir !== undefined) {
      await mkdir(annotated.picturesDir, { recursive: true });
      const file = (when: string) =>
        join(annotated.picturesDir ?? "", `exhibit-${exhibit.exhibitId}-page-${page + 1}-${when}.png`);
      await Promise.all([writeFile(file("before"), was.png), writeFile(file("after"), is.png)]);
    }
  }
}

/** Whether the pages of the exhibit are in the index, as they read now. */
function judgeIndex(
  carrying: Carrying,
  { name, exhibitId, documentId, known }: Exhibit,
  { batchId, destinationCaseId: caseId }: Annotated,
  pages: number,
  verdict: AnnotationsVerdict,
): boolean {
  const rows = (carrying.destination.tables.get("exhibit_texts")?.rows ?? []).filter(
    (row) => row["exhibit_id"] === exhibitId,
  );
  for (const row of rows) verdict.rows.add(`exhibit_texts ${exhibitId},${String(row["position"])}`);
  const siblings = (carrying.destination.tables.get("exhibits")?.rows ?? []).filter(
    (row) => row["document_id"] === documentId,
  );
  const first = siblings.map(({ id }) => BigInt(id ?? 0)).reduce((least, id) => (id < least ? id : least));
  const furtherExhibitId = String(first) === exhibitId ? undefined : exhibitId;
  const own = { caseId, batchId, documentId };
  const prefix = textPrefix({ ...own, furtherExhibitId });
  for (let page = 1; page <= pages; page++) verdict.keys.add(pageTextKey(prefix, page));
  const drawn = exhibitPrefix({ ...own, exhibitId });
  for (const file of [...layerFiles, "comments.json", "document.pdf"]) verdict.keys.add(`${drawn}${file}`);

  const text = rows.map((row) => row["content"]).join(" ");
  const problems = [
    ...(rows.length === pages ? [] : [`${rows.length} of its ${pages} pages are in the index`]),
    ...(known?.kept ?? []).filter((word) => !text.includes(word)).map((word) => `the index lacks ${word}`),
  ];
  verdict.problems.push(...problems.map((text): Finding => ({ about: "wrong index", text: `${name}: ${text}` })));
  const leaks = (known?.hidden ?? []).filter((word) => text.includes(word));
  verdict.problems.push(...leaks.map((word): Finding => ({ about: "leak", text: `${name}: the index has ${word}` })));
  verdict.counts.leaks += leaks.length;
  return problems.length === 0;
}

const layerFiles = ["redactions", "highlights", "notes", "stickers", "bates", "confidentialityCodes"].map(
  (type) => `${type}.json`,
);
