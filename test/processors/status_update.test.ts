import { expect } from "chai";
import type { EventType, ExchangeEvent } from "../../contracts/events.ts";
import { statusHandler } from "../../processors/status_update/process.ts";
import { openLedger } from "./ledger_tables.ts";
import type { LedgerDatabase } from "./ledger_tables.ts";
import { failed, newExchange, now, silent, sqsEvent, startCloudFirst } from "./support.ts";

describe("the status processor", () => {
  startCloudFirst();
  let ledger: LedgerDatabase;
  let handle: ReturnType<typeof statusHandler>;
  let exchange: ReturnType<typeof newExchange>;

  before(async () => {
    ledger = await openLedger();
    handle = statusHandler({ database: ledger.database, log: silent });
  });
  beforeEach(async () => {
    exchange = newExchange();
    await ledger.admin.query("DELETE FROM exchange_statuses");
  });
  after(() => ledger.end());

  const event = (eventType: EventType, seconds: number, detail = {}): ExchangeEvent => ({
    eventId: `${exchange.exchangeId}:${eventType}`,
    source: "engine",
    eventType,
    status: "SUCCESS",
    jobId: exchange.exchangeId,
    caseId: exchange.caseId,
    sourceCaseId: exchange.sourceCaseId,
    batchId: exchange.batchId,
    timestamp: new Date(now.getTime() + seconds * 1000).toISOString(),
    detail,
  });
  const row = (status: EventType, occurredAt: string, detail = {}) => ({
    exchange_id: exchange.exchangeId,
    status,
    event_id: `${exchange.exchangeId}:${status}`,
    detail,
    occurred_at: occurredAt,
  });

  it("writes the beginning and then the end of an exchange", async () => {
    // Act
    const first = await handle(sqsEvent({ body: event("EXCHANGER_INITIATED", 0) }));
    const begun = await ledger.rows("exchange_statuses");
    const second = await handle(sqsEvent({ body: event("EXCHANGER_FAILED", 9, { error: "glue" }) }));
    const ended = await ledger.rows("exchange_statuses");

    // Assess
    expect([first, second]).to.deep.equal([failed(), failed()]);
    expect(begun).to.deep.equal([row("EXCHANGER_INITIATED", "2026-01-02T03:04:05.678000")]);
    expect(ended).to.deep.equal([row("EXCHANGER_FAILED", "2026-01-02T03:04:14.678000", { error: "glue" })]);
  });

  for (const end of ["EXCHANGER_FINISHED", "EXCHANGER_FAILED", "EXCHANGER_CANCELLED"] as const) {
    it(`keeps ${end} when the beginning is heard of later`, async () => {
      // Act
      await handle(sqsEvent({ body: event(end, 9) }));
      await handle(sqsEvent({ body: event("EXCHANGER_INITIATED", 0) }));

      // Assess
      expect(await ledger.rows("exchange_statuses")).to.deep.equal([row(end, "2026-01-02T03:04:14.678000")]);
    });
  }

  it("writes one row when an event comes twice", async () => {
    // Prepare
    const body = event("EXCHANGER_FINISHED", 9);

    // Act
    const answers = [await handle(sqsEvent({ body }, { body })), await handle(sqsEvent({ body, receives: 2 }))];

    // Assess
    expect(answers).to.deep.equal([failed(), failed()]);
    const expected = [row("EXCHANGER_FINISHED", "2026-01-02T03:04:14.678000")];
    expect(await ledger.rows("exchange_statuses")).to.deep.equal(expected);
  });

  it("writes the good events of a batch, passes over those of other kinds and lets unreadable ones come again", async () => {
    // Act
    const answer = await handle(
      sqsEvent({ body: "no JSON" }, { body: event("DB_COPY_FINISHED", 1) }, { body: event("EXCHANGER_INITIATED", 0) }),
    );

    // Assess
    expect(answer).to.deep.equal(failed(0));
    const expected = [row("EXCHANGER_INITIATED", "2026-01-02T03:04:05.678000")];
    expect(await ledger.rows("exchange_statuses")).to.deep.equal(expected);
  });
});
