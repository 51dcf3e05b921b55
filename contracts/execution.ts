import { z } from "zod";
import { acceptedChoices } from "./annotations.ts";
import { exchangeContext } from "./ids.ts";

/** URLs of the exchange's queues that the payload Lambda feeds: those that the exchange has. */
const firstQueues = z.strictObject({ s3_copy: z.url().optional(), pre_uploader: z.url().optional() });

/** Input of the state machine; one execution is one exchange's record copy and payload construction. */
export const executionInput = z.strictObject({
  exchange: exchangeContext,
  /** Arguments of the Glue job run, `--name` → value; none is secret. */
  glueArguments: z.record(z.string().startsWith("--"), z.string()),
  dataBucket: z.string().min(1),
  /** Prefix of the manifest's parts in the data bucket. */
  manifestPrefix: z.string().min(1),
  caseBucket: z.string().min(1),
  /** How annotations travel; null where none do. */
  annotations: acceptedChoices.nullable(),
  queues: firstQueues,
});
export type ExecutionInput = z.infer<typeof executionInput>;

/** Input of the payload Lambda: one part of the manifest. */
export const payloadInput = z.strictObject({
  exchange: exchangeContext,
  dataBucket: z.string().min(1),
  partKey: z.string().min(1),
  caseBucket: z.string().min(1),
  annotations: acceptedChoices.nullable(),
  queues: firstQueues,
});
export type PayloadInput = z.infer<typeof payloadInput>;

/** Result of the payload Lambda: how many units of this part each stage will see. */
export interface PayloadResult {
  part: string;
  documents: number;
  copy: number;
  pre_upload: number;
  upload: number;
  re_ocr: number;
  search: number;
}
