import { hash } from "node:crypto";
import type { AnnotationType, CommentsFile, EngineRecord } from "../../contracts/annotations.ts";
import type { EngineAttachment, InstantJson } from "../shared/document_engine/client.ts";
import type { Travelling } from "./sort.ts";

/** Images by the id that annotations refer to. */
export type Attachments = ReadonlyMap<string, EngineAttachment>;

/**
 * The id that an annotation or comment has in the destination: equal for equal input, so that doing the work twice makes
 * nothing twice, and in the form of the ids that the engine gives itself.
 */
export function destinationId(engineDocumentId: string, sourceId: string): string {
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const digest = hash("sha256", `${engineDocumentId}\n${sourceId}`, "buffer");
  return Array.from(digest.subarray(0, 26), (byte) => alphabet.charAt(byte % 32)).join("");
}

/** Annotations as an Instant JSON document with everything that they refer to. */
export function instantJsonOf(
  travelling: readonly Travelling[],
  attachments: Attachments,
  engineDocumentId: string,
): InstantJson {
  const used = new Set(travelling.flatMap(({ content }) => content.imageAttachmentId ?? []));
  const files = [...used].sort().flatMap((id) => {
    const file = attachments.get(id);
    return file
      ? [[id, { binary: Buffer.from(file.content).toString("base64"), contentType: file.contentType }] as const]
      : [];
  });
  return {
    format: "https://pspdfkit.com/instant-json/v1",
    annotations: travelling.map(({ record }) => ({
      ...{ v: 2, opacity: 1 },
      ...newContent(record, destinationId(engineDocumentId, record.id)),
      isCommentThreadRoot: undefined,
    })),
    ...(files.length > 0 && { attachments: Object.fromEntries(files) }),
  };
}

/** Content that is new to its document: it refers to no object of the file that it came from, and keeps its author. */
function newContent({ content, createdBy }: EngineRecord, id: string): EngineRecord["content"] {
  const creatorName = content["creatorName"] ?? createdBy ?? undefined;
  return { ...content, id, creatorName, pdfObjectId: undefined };
}

/** Threads as they are written to S3, with the ids of the destination. */
export function commentsFileOf(
  threads: readonly { root: Travelling; comments: readonly EngineRecord[] }[],
  engineDocumentId: string,
): CommentsFile {
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
export function byType(travelling: readonly Travelling[]): [AnnotationType, Travelling[]][] {
  return [...Map.groupBy(travelling, ({ type }) => type)];
}
