import type { SNSClient } from "@aws-sdk/client-sns";
import { deadLetter } from "../../contracts/messages.ts";
import { batchHandler } from "../shared/batch_handler.ts";
import type { BatchHandler } from "../shared/batch_handler.ts";
import { logFields } from "../shared/log.ts";
import type { Logger } from "../shared/log.ts";
import { publishEvent } from "../shared/publish.ts";
import { errorEvent, reasonOf } from "./events.ts";

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
    schema: deadLetter,
    fields: logFields,
    process: async (letter, { record, log }) => {
      const reason = reasonOf(record.messageAttributes);
      await publishEvent(to.sns, to.topicArn, errorEvent(letter, reason, to.now()));
      log.error({ kind: letter.kind, reason }, "error event of a message that was given up published");
    },
  });
}
