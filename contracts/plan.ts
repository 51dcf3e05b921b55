import type { Stage } from "./ledger.ts";
import type { FileRole } from "./manifest.ts";
import type { ExchangeRequest } from "./request.ts";

/** The queues that an exchange may have. */
export const queueKinds = ["s3_copy", "pre_uploader", "re_ocr", "search_text", "doc_uploader"] as const;
export type QueueKind = (typeof queueKinds)[number];

/** The processors that an exchange may have; each consumes the queue of its name. */
export const processorKinds = ["s3_copy", "pre_uploader", "re_ocr", "search_text"] as const;
export type ProcessorKind = (typeof processorKinds)[number];

/** What an exchange is made of. */
export interface ExchangePlan {
  readonly queues: readonly QueueKind[];
  readonly processors: readonly ProcessorKind[];
}

/** Which queues and processors a request needs; nothing is provisioned that would stay idle. */
export function planOf(request: Pick<ExchangeRequest, "annotations" | "includeNatives">): ExchangePlan {
  if (!request.annotations) return { queues: ["s3_copy", "doc_uploader"], processors: ["s3_copy"] };
  const annotating = ["pre_uploader", "re_ocr", "search_text"] as const;
  return request.includeNatives
    ? { queues: ["s3_copy", ...annotating, "doc_uploader"], processors: ["s3_copy", ...annotating] }
    : { queues: [...annotating, "doc_uploader"], processors: annotating };
}

/** The stage that closes what lies in each queue. */
export const stageOfQueue = {
  s3_copy: "copy",
  pre_uploader: "pre_upload",
  doc_uploader: "upload",
  re_ocr: "re_ocr",
  search_text: "search",
} as const satisfies Record<QueueKind, Stage>;

/**
 * The stages that a file of an exchange passes; none: it does not travel. With annotations only natives are copied as they
 * are: the texts that the source case has of its pages say what a redaction hides, and are made anew of what was produced.
 */
export function stagesOf(role: FileRole, request: Pick<ExchangeRequest, "annotations">): readonly Stage[] {
  if (!request.annotations) return role === "document" ? ["copy", "upload"] : ["copy"];
  if (role === "native") return ["copy"];
  return role === "document" ? ["pre_upload", "upload", "re_ocr", "search"] : [];
}
