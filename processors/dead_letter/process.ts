import type { SNSClient } from "@aws-sdk/client-sns";
import { batchHandler } from "../shared/batch_handler.ts";
import type { BatchHandler } from "../shared/batch_handler.ts";
import { eventFields, logFields } from "../shared/log.ts";
import type { Logger } from "../shared/log.ts";
import { publishEvent } from "../shared/publish.ts";
import { errorEvent, letter, reasonOf } from "./events.ts";

export interface DeadLetterDependencies {
  sns: SNSClient;
  log: Logger;
  now: () => Date;
  topicArn: string;
}

/**
 * The handler of the shared dead-letter queue: tells of every message that was given up.
 *
 * A dead letter that cannot be read is never taken off: it fails, is logged with its id and size, and goes where the
 * queue's redrive parks it. It is the last trace of something that went wrong, and an operator needs the thing itself
 * to find out what, and to move it back after a repair.
 */
export function deadLetterHandler(to: DeadLetterDependencies): BatchHandler {
  return batchHandler({
    log: to.log,
    schema: letter,
    fields: (given) => ("kind" in given ? { ...logFields(given), kind: given.kind } : eventFields(given)),
    process: async (given, { record, log }) => {
      const reason = reasonOf(record.messageAttributes);
      await publishEvent(to.sns, to.topicArn, errorEvent(given, reason, to.now()));
      log.error({ reason }, "error event of a message that was given up published");
    },
  });
}
