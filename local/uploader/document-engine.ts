import { commentsFile, engineDocumentId, type CommentsFile } from "../../contracts/annotations.ts";
import type { DocUploaderMessage, ExhibitLoad } from "../../contracts/messages.ts";
import type { DocumentEngine, InstantJson } from "../../processors/shared/document_engine/client.ts";
import { PermanentError } from "../../contracts/errors.ts";
import { z } from "zod";

/** Reads an object of the message's bucket. */
export type ReadObject = (key: string) => Promise<Uint8Array>;

const instantJson = z.looseObject({
  annotations: z.array(z.record(z.string(), z.unknown())).default([]),
  attachments: z.record(z.string(), z.looseObject({ binary: z.string(), contentType: z.string() })).default({}),
});

/**
 * Stores what a message names in Document Engine: one document for each exhibit, with its layers and comment threads. Done
 * again it stores the same again.
 *
 * @throws PermanentError INVALID_LAYER for a layer or threads that are not what their contract says
 */
export async function storeExhibits(
  engine: DocumentEngine,
  message: DocUploaderMessage,
  read: ReadObject,
): Promise<void> {
  for (const load of message.loads ?? plainLoads(message)) {
    const layers = await Promise.all(load.layers.map(({ key }) => readJson(read, key, instantJson)));
    const { threads } =
      load.commentsKey === null ? { threads: [] } : await readJson(read, load.commentsKey, commentsFile);
    await engine.upload(load.engineDocumentId, await read(load.key), together(layers, threads));
  }
}

/** Without annotations every exhibit shows the same PDF. */
function plainLoads({
  exchange,
  destinationDocumentId: documentId,
  exhibitIds,
  key,
}: DocUploaderMessage): ExhibitLoad[] {
  const { caseId, batchId } = exchange;
  return exhibitIds.map((exhibitId) => ({
    exhibitId,
    engineDocumentId: engineDocumentId({ caseId, batchId, documentId, exhibitId }),
    key,
    layers: [],
    commentsKey: null,
  }));
}

function together(
  layers: readonly z.infer<typeof instantJson>[],
  threads: CommentsFile["threads"],
): (InstantJson & { comments: object[] }) | undefined {
  if (!layers.length && !threads.length) return undefined;
  const roots = threads.map(({ root }) => ({ opacity: 1, ...root.content, id: root.id }));
  return {
    format: "https://pspdfkit.com/instant-json/v1",
    annotations: [...layers.flatMap(({ annotations }) => annotations), ...roots],
    attachments: Object.assign({}, ...layers.map(({ attachments }) => attachments)) as InstantJson["attachments"] & {},
    comments: threads.flatMap(({ comments }) => comments.map(({ id, content }) => ({ ...content, id }))),
  };
}

async function readJson<Schema extends z.ZodType>(
  read: ReadObject,
  key: string,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const text = Buffer.from(await read(key)).toString("utf8");
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new PermanentError("INVALID_LAYER", `${key} does not hold what a layer holds: make it anew`, { cause });
  }
}
