import { z } from "zod";
import {
  canBeRoot,
  commentContent,
  firstIssue,
  judgeAnnotation,
  type AnnotationContent,
  type CommentContent,
} from "./content.ts";
import { badRequest } from "./refusal.ts";
import { plainText } from "./rich-text.ts";
import type { AnnotationRecord, CommentRecord, StoredLayer } from "./store.ts";
import type { Attachment } from "./pdf/pdf-file.ts";

export const format = "https://pspdfkit.com/instant-json/v1";

const instantJson = z.looseObject({
  format: z.literal(format),
  annotations: z.array(z.unknown()).default([]),
  attachments: z.record(z.string(), z.looseObject({ binary: z.base64(), contentType: z.string() })).default({}),
  comments: z.array(z.unknown()).default([]),
  skippedPdfObjectIds: z.array(z.int().positive()).default([]),
});

/** An Instant JSON document whose annotations may be used. */
export interface Imported {
  annotations: { id: string | undefined; content: AnnotationContent }[];
  comments: { id: string | undefined; content: CommentContent }[];
  attachments: Map<string, Attachment>;
  /** Annotations of the PDF that are changed or gone. */
  skipped: number[];
}

/**
 * Reads an Instant JSON document as the engine's importer does: all of it, or nothing and every reason.
 * @throws Refusal 400 with the importer's message
 */
export function readInstantJson(
  given: unknown,
  document: { pageCount: number; hasAttachment?: (id: string) => boolean; hasRoot?: (id: string) => boolean },
): Imported {
  const parsed = instantJson.safeParse(given);
  if (!parsed.success) throw importFailed([firstIssue(parsed.error)]);
  const attachments = new Map(
    Object.entries(parsed.data.attachments).map(([id, { binary, contentType }]) => [
      id,
      { contentType, bytes: Uint8Array.from(Buffer.from(binary, "base64")) },
    ]),
  );
  const problems: string[] = [];
  const hasAttachment = (id: string) => attachments.has(id) || document.hasAttachment?.(id) === true;
  const annotations = parsed.data.annotations.flatMap((annotation, index) => {
    const judged = judgeAnnotation(annotation, { pageCount: document.pageCount, hasAttachment, judge: "engine" });
    if ("content" in judged) return [{ id: idOf(annotation), content: judged.content }];
    problems.push(`Invalid Annotation at index ${index}: ${judged.problem}`);
    return [];
  });
  const roots = new Set(annotations.flatMap(({ id, content }) => (canBeRoot(content.type) ? id : [])));
  const comments = parsed.data.comments.flatMap((comment, index) => {
    const read = commentContent.safeParse(comment);
    if (!read.success) {
      problems.push(`Invalid Comment at index ${index}: ${firstIssue(read.error)}`);
      return [];
    }
    const { rootId } = read.data;
    if (roots.has(rootId) || document.hasRoot?.(rootId)) return [{ id: idOf(comment), content: read.data }];
    problems.push(`Couldn't find root comment for deserialized comment ${idOf(comment) ?? index}`);
    return [];
  });
  if (problems.length) throw importFailed(problems);
  const changed = annotations.flatMap(({ content }) => content.pdfObjectId ?? []);
  const skipped = [...new Set([...parsed.data.skippedPdfObjectIds, ...changed])];
  return { annotations, comments, attachments, skipped };
}

function importFailed(problems: readonly string[]) {
  const list = problems.map((problem, index) => `${index + 1}: ${problem}`).join("\n");
  const told = `Encountered ${problems.length} error(s) importing JSON:\n${list}`;
  return badRequest("INSTANT_JSON_IMPORT", `Error on importing Instant Document JSON: ${told}`);
}

function idOf(given: unknown): string | undefined {
  const { id } = (given ?? {}) as { id?: unknown };
  return typeof id === "string" && id !== "" ? id : undefined;
}

/** A layer as an Instant JSON document: what differs from its PDF, with the images that this shows. */
export function writeInstantJson(
  layer: StoredLayer,
  records: { annotations: readonly AnnotationRecord[]; comments: readonly CommentRecord[] },
  attachment: (id: string) => Attachment | undefined,
  version: 1 | 2,
): Record<string, unknown> {
  const pristine = new Set(
    records.annotations.flatMap((record) => (record.pristine ? record.content.pdfObjectId : [])),
  );
  const changed = records.annotations.filter((record) => !record.pristine);
  const pristineRoots = new Set(records.annotations.flatMap((record) => (record.pristine ? record.id : [])));
  const used = new Set(changed.flatMap(({ content }) => content.imageAttachmentId ?? []));
  const attachments = [...used].flatMap((id) => {
    const found = attachment(id);
    if (!found) return [];
    return [[id, { binary: Buffer.from(found.bytes).toString("base64"), contentType: found.contentType }] as const];
  });
  const comments = records.comments.filter(({ content }) => !pristineRoots.has(content.rootId));
  const lists = {
    annotations: changed.map(({ id, content }) => ({ ...inVersion(content, version), id })),
    comments: comments.map(({ id, content }) => ({ ...inVersion(content, version), id })),
    skippedPdfObjectIds: layer.originals.filter((number) => !pristine.has(number)),
  };
  // Empty ones are left out.
  const given = Object.entries(lists).filter(([, list]) => list.length);
  return {
    format,
    ...Object.fromEntries(given),
    ...(attachments.length && { attachments: Object.fromEntries(attachments) }),
  };
}

function inVersion<T extends AnnotationContent | CommentContent>(content: T, version: 1 | 2): T {
  const { text } = content;
  if (text === undefined || text === null) return { ...content, v: version };
  if (version === 1) return { ...content, v: 1, text: plainText(text) };
  return { ...content, v: 2, text: typeof text === "string" ? { format: "plain", value: text } : text };
}
