import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { z } from "zod";
import { PermanentError } from "../../contracts/errors.ts";
import { classify } from "./failures.ts";
import { secondsUntilAgain } from "./feed.ts";
import type { Redelivery } from "./feed.ts";
import type { Logger } from "./log.ts";

/** How a processor treats one message after another. */
export interface MessageWork<Message> {
  log: Logger;
  schema: z.ZodType<Message>;
  /** Fields for the log lines about this message. */
  fields: (message: Message) => Record<string, unknown>;
  /** Does the work; must stand being called again with the same message. */
  process: (message: Message, about: { record: SQSRecord; log: Logger }) => Promise<void>;
  /** What becomes of messages that fail. Without it they fail until the queue's own redrive takes them. */
  redelivery?: Redelivery;
}

export type BatchHandler = (event: SQSEvent) => Promise<SQSBatchResponse>;

/** The message in a record's body. @throws PermanentError INVALID_MESSAGE that names the fields that are wrong */
export function parseBody<Message>(schema: z.ZodType<Message>, body: string): Message {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new PermanentError("INVALID_MESSAGE", `a body of ${body.length} characters is not JSON`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
  throw new PermanentError("INVALID_MESSAGE", `the message does not fit its contract: ${faults.join("; ")}`);
}

/**
 * A handler of an SQS queue: works on all messages of a batch at once and answers with those that shall come again.
 * A batch with messages that came before is worked off in turn, see {@link inTurn}.
 *
 * Done before → a success, logged. Hopeless (also: unreadable) → given up at once, with the reason. Anything else →
 * comes again, soon at first, and is given up with the reason on the last receive, before the queue's redrive would drop
 * the reason.
 */
export function batchHandler<Message>(work: MessageWork<Message>): BatchHandler {
  return (event) => {
    const processor = new BatchProcessor(EventType.SQS);
    const receives = Math.max(...event.Records.map(receivesOf));
    const Records = inTurn(event.Records, receives);
    return processPartialResponse({ Records }, (record: SQSRecord) => treat(work, record), processor, {
      throwOnFullBatchFailure: false,
      processInParallel: receives === 1,
    });
  };
}

/**
 * A message that kills the process takes its batch along. Worked off one by one, and every second time in the reverse
 * order, each of the others is once done before it, and told as done, before all of them are given up.
 */
function inTurn(records: readonly SQSRecord[], receives: number): SQSRecord[] {
  const ordered = records.toSorted((one, other) => (one.messageId < other.messageId ? -1 : 1));
  return receives % 2 === 0 ? ordered : ordered.reverse();
}

function receivesOf({ attributes }: SQSRecord): number {
  return Number(attributes.ApproximateReceiveCount);
}

async function treat<Message>(work: MessageWork<Message>, record: SQSRecord): Promise<void> {
  const receives = receivesOf(record);
  let log = work.log.child({ messageId: record.messageId, receives, bodyLength: record.body.length });
  try {
    const message = parseBody(work.schema, record.body);
    log = log.child(work.fields(message));
    await work.process(message, { record, log });
  } catch (thrown) {
    const error = classify(thrown);
    if (error.kind === "already_done") {
      log.info({ code: error.code }, error.message);
      return;
    }
    const { redelivery } = work;
    const last = error.kind !== "recoverable" || receives >= (redelivery?.maxReceiveCount ?? Infinity);
    if (!redelivery || !last) {
      log.warn({ err: error, code: error.code }, "message failed and will come again");
      if (redelivery) await hasten(redelivery, record, log);
      throw error;
    }
    log.error({ err: error, code: error.code }, "message is given up");
    await redelivery.giveUp(record.body, error).catch((cause: unknown) => {
      log.error({ err: cause }, "message could not be laid into the dead-letter queue");
      throw classify(cause);
    });
  }
}

/** Where a message cannot be made to come again sooner, it comes when the queue says. */
async function hasten(redelivery: Redelivery, record: SQSRecord, log: Logger): Promise<void> {
  const seconds = secondsUntilAgain(receivesOf(record), redelivery);
  if (seconds === undefined) return;
  await redelivery.comeAgainIn(seconds, record.receiptHandle).catch((cause: unknown) => {
    log.warn({ err: cause }, "message could not be made to come again sooner");
  });
}
