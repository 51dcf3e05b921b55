import { z } from "zod";
import { engineRecord, type EngineRecord } from "../../contracts/annotations.ts";

/** How to read what Document Engine keeps, without any code of ours that does so in the product. */
export interface EngineReader {
  /** Undefined where there is no such document. */
  document(id: string): Promise<EngineDocumentSeen | undefined>;
}

export interface EngineDocumentSeen {
  annotations: EngineRecord[];
  /** By the id of the annotation that they hang on. */
  comments: Map<string, EngineRecord[]>;
  pdf: Uint8Array;
}

export function engineReader(of: { url: string; token: string }): EngineReader {
  const get = (path: string, accept: string) =>
    fetch(new URL(`/api/documents/${path}`, of.url), {
      headers: { authorization: `Token token="${of.token}"`, accept },
    });
  return {
    async document(id) {
      const path = encodeURIComponent(id);
      const answer = await get(`${path}/annotations`, "application/x-ndjson");
      if (answer.status === 404) return undefined;
      const lines = (await answer.text()).split("\n").filter((line) => line !== "");
      const annotations = lines.map((line) => engineRecord.parse(JSON.parse(line)));
      const comments = new Map<string, EngineRecord[]>();
      for (const { id: root, content } of annotations) {
        if (content["isCommentThreadRoot"] !== true) continue;
        const thread = await get(`${path}/annotations/${encodeURIComponent(root)}/comments`, "application/json");
        comments.set(root, threadAnswer.parse(await thread.json()).data.comments);
      }
      const pdf = await get(`${path}/pdf?source=true`, "application/pdf");
      return { annotations, comments, pdf: new Uint8Array(await pdf.arrayBuffer()) };
    },
  };
}

const threadAnswer = z.object({ data: z.object({ comments: z.array(engineRecord) }) });
