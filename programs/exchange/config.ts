import { z } from "zod";
import { exchangeContext } from "../../contracts/ids.ts";
import { processorKinds, queueKinds } from "../../contracts/plan.ts";
import { globalOutputs } from "../global/outputs.ts";

/**
 * `running`: the mappings poll. `draining`: topic subscriptions are gone and mappings are disabled, so nothing new
 * arrives while what is in flight ends. The phase is an input of the program, so that a later `up` never undoes a drain.
 */
export const phase = z.enum(["running", "draining"]);
export type Phase = z.infer<typeof phase>;

/** Everything that the program of one exchange needs to know. */
export const exchangeStackConfig = z.object({
  exchange: exchangeContext,
  plan: z.object({
    queues: z.array(z.enum(queueKinds)).readonly(),
    processors: z.array(z.enum(processorKinds)).readonly(),
  }),
  phase,
  global: globalOutputs,
});
export type ExchangeStackConfig = z.infer<typeof exchangeStackConfig>;

const queue = z.object({ url: z.url(), arn: z.string().min(1) });
const processor = z.object({
  functionName: z.string().min(1),
  functionArn: z.string().min(1),
  mappingUuid: z.string().min(1),
  roleArn: z.string().min(1),
  logGroup: z.string().min(1),
});

/** The outputs of an exchange stack: every ARN and URL of it. */
export const exchangeOutputs = z.object({
  queues: z.partialRecord(z.enum(queueKinds), queue),
  processors: z.partialRecord(z.enum(processorKinds), processor),
});
export type ExchangeOutputs = z.infer<typeof exchangeOutputs>;
