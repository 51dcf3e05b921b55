import type { AnnotationChoices, EngineRecord } from "../../contracts/annotations.ts";
import { PermanentError } from "../../contracts/errors.ts";
import type { DocumentEngine } from "../shared/document_engine/client.ts";
import type { Attachments } from "./layers.ts";
import { sortAnnotations } from "./sort.ts";
import type { CarriedAnnotation, Sorted, ThreadRoot } from "./sort.ts";

/** What Document Engine keeps of one exhibit, sorted by what becomes of it. */
export interface Gathered {
  sorted: Sorted;
  attachments: Attachments;
  threads: { root: ThreadRoot; comments: EngineRecord[] }[];
}

/**
 * Reads everything of one exhibit that is carried: one call for the annotations, one for each image and one for each
 * thread.
 *
 * @throws PermanentError ATTACHMENT_MISSING, REDACTIONS_UNACCOUNTED, and what the client throws
 */
export async function gather(
  engine: DocumentEngine,
  documentId: string,
  choices: AnnotationChoices,
): Promise<Gathered> {
  const sorted = sortAnnotations(await engine.annotations(documentId), choices);
  const [attachments, threads] = await Promise.all([
    readAttachments(engine, documentId, [...sorted.branded, ...sorted.layered, ...sorted.threads]),
    Promise.all(
      sorted.threads.map(async (root) => ({ root, comments: await engine.comments(documentId, root.commentedId) })),
    ),
  ]);
  // A marker that only stands in for an annotation says nothing without comments.
  return {
    sorted,
    attachments,
    threads: threads.filter(({ root, comments }) => !root.isReplaced || comments.length > 0),
  };
}

async function readAttachments(
  engine: DocumentEngine,
  documentId: string,
  annotations: readonly CarriedAnnotation[],
): Promise<Attachments> {
  const types = new Map(
    annotations.flatMap(({ content }) =>
      typeof content.imageAttachmentId === "string"
        ? [[content.imageAttachmentId, content["contentType"]] as const]
        : [],
    ),
  );
  const read = await Promise.all(
    [...types].map(async ([id, recorded]) => {
      const attachment = await engine.attachment(documentId, id).catch((cause: unknown) => {
        if (!(cause instanceof PermanentError && cause.code === "DOCUMENT_ENGINE_NOT_FOUND")) throw cause;
        const message = `the image ${id} of an annotation of ${documentId} is missing in Document Engine`;
        throw new PermanentError("ATTACHMENT_MISSING", message, { cause });
      });
      return [id, typeof recorded === "string" ? { ...attachment, contentType: recorded } : attachment] as const;
    }),
  );
  return new Map(read);
}
