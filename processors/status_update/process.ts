import { event as eventSchema, statusEvents } from "../../contracts/events.ts";
import type { ExchangeEvent } from "../../contracts/events.ts";
import { statusTable } from "../../contracts/ledger.ts";
import type { StatusEventType } from "../../contracts/ledger.ts";
import { batchHandler } from "../shared/batch_handler.ts";
import type { BatchHandler } from "../shared/batch_handler.ts";
import type { Database } from "../shared/database.ts";
import { eventFields } from "../shared/log.ts";
import type { Logger } from "../shared/log.ts";
import { upsertStrongest } from "../shared/strongest.ts";

export interface StatusDependencies {
  database: Database;
  log: Logger;
}

/** Any end of an exchange is stronger than its beginning, whichever is heard of first. */
const upsert = upsertStrongest({
  name: statusTable,
  key: ["exchange_id"],
  carried: ["detail"],
  fact: "status",
  strength: (value) => `(${value} <> 'EXCHANGER_INITIATED')`,
});

/** The handler of `exch-status`: what users see of the life of an exchange, by the name of its last event. */
export function statusHandler(to: StatusDependencies): BatchHandler {
  return batchHandler({
    log: to.log,
    schema: eventSchema,
    fields: eventFields,
    process: async (event, { log }) => {
      if (!isStatusEvent(event)) {
        log.info("event is not about the life of an exchange");
        return;
      }
      const { jobId, detail, eventId, timestamp, eventType } = event;
      await to.database.run(upsert, [[[jobId, JSON.stringify(detail), eventId, new Date(timestamp), eventType]]]);
      log.info("status written");
    },
  });
}

function isStatusEvent(event: ExchangeEvent): event is ExchangeEvent & { eventType: StatusEventType } {
  return (statusEvents as readonly string[]).includes(event.eventType);
}
