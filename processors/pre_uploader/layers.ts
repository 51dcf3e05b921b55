import { hash } from "node:crypto";
import type { AnnotationType, CommentsFile, EngineRecord } from "../../contracts/annotations.ts";
import type { EngineAttachment, InstantJson } from "../shared/document_engine/client.ts";
import { uncut } from "./rich-text.ts";
import type { CarriedAnnotation } from "./sort.ts";

/** Images by the id that annotations refer to. */
export type Attachments = ReadonlyMap<string, EngineAttachment>;

/** A comment thread with its root. */
interface Thread {
  root: CarriedAnnotation;
  comments: readonly EngineRecord[];
}

/**
 * The id that an annotation or comment has in the destination: equal for equal input, so that doing the work twice makes
 * nothing twice, and in the form of the ids that Document Engine gives itself.
 */
export function destinationId(engineDocumentId: string, sourceId: string): string {
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const digest = hash("sha256", `${engineDocumentId}\n${sourceId}`, "buffer");
  return Array.from(digest.subarray(0, 26), (byte) => alphabet.charAt(byte % 32)).join("");
}

/** Annotations as an Instant JSON document with everything that they refer to. */
export function instantJsonOf(
  annotations: readonly CarriedAnnotation[],
  attachments: Attachments,
  engineDocumentId: string,
): InstantJson {
  return documentOf(
    annotations.map(({ record }) => ({
      ...{ v: 2, opacity: 1 },
      ...newContent(record, destinationId(engineDocumentId, record.id)),
      isCommentThreadRoot: undefined,
    })),
    annotations,
    attachments,
  );
}

/** What is not drawn of an annotation, or keeps it from being drawn. */
const notDrawn = [
  ...["creatorName", "createdAt", "updatedAt", "name", "note", "subject", "description", "fileName"],
  ...["customData", "action", "flags", "group", "pdfObjectId", "isCommentThreadRoot"],
];

/** The part of an annotation that becomes part of its page. */
export function drawnContent({ record }: CarriedAnnotation): EngineRecord["content"] {
  const drawn = Object.entries(record.content).filter(([name]) => !notDrawn.includes(name));
  return withUncutText(Object.fromEntries(drawn) as EngineRecord["content"]);
}

/** Annotations that become part of their pages as an Instant JSON document. */
export function brandedJsonOf(
  annotations: readonly CarriedAnnotation[],
  attachments: Attachments,
  engineDocumentId: string,
): InstantJson {
  return documentOf(
    annotations.map((annotation) => ({
      ...{ v: 2, opacity: 1 },
      ...drawnContent(annotation),
      id: destinationId(engineDocumentId, annotation.record.id),
    })),
    annotations,
    attachments,
  );
}

function documentOf(
  contents: InstantJson["annotations"],
  annotations: readonly CarriedAnnotation[],
  attachments: Attachments,
): InstantJson {
  const used = new Set(annotations.flatMap(({ content }) => content.imageAttachmentId ?? []));
  const files = [...used].sort().flatMap((id) => {
    const file = attachments.get(id);
    return file
      ? [[id, { binary: Buffer.from(file.content).toString("base64"), contentType: file.contentType }] as const]
      : [];
  });
  return {
    format: "https://pspdfkit.com/instant-json/v1",
    annotations: contents,
    ...(files.length > 0 && { attachments: Object.fromEntries(files) }),
  };
}

/** Content that is new to its document: it refers to no object of the file that it came from, and keeps its author. */
function newContent({ content, createdBy }: EngineRecord, id: string): EngineRecord["content"] {
  const creatorName = content["creatorName"] ?? createdBy ?? undefined;
  return withUncutText({ ...content, id, creatorName, pdfObjectId: undefined });
}

function withUncutText(content: EngineRecord["content"]): EngineRecord["content"] {
  return content["text"] === undefined ? content : { ...content, text: uncut(content["text"]) };
}

/** Threads as they are written to S3, with the ids of the destination. */
export function commentsFileOf(threads: readonly Thread[], engineDocumentId: string): CommentsFile {
  const renamed = (record: EngineRecord, more: Record<string, unknown> = {}): EngineRecord => {
    const id = destinationId(engineDocumentId, record.id);
    return { ...record, id, content: { ...newContent(record, id), ...more } };
  };
  return {
    documentId: engineDocumentId,
    threads: threads.map(({ root: { record }, comments }) => {
      const root = renamed(record);
      return { root, comments: comments.map((comment) => renamed(comment, { rootId: root.id })) };
    }),
  };
}

/** Annotations by type, in the order of the types. */
export function byType(annotations: readonly CarriedAnnotation[]): [AnnotationType, CarriedAnnotation[]][] {
  return [...Map.groupBy(annotations, ({ type }) => type)];
}
