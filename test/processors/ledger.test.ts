import { expect } from "chai";
import fc from "fast-check";
import type { EventType, ExchangeEvent } from "../../contracts/events.ts";
import type { ExchangeContext } from "../../contracts/ids.ts";
import { entriesOf } from "../../processors/ledger/entries.ts";
import { ledgerHandler } from "../../processors/ledger/process.ts";
import { openLedger } from "./ledger_tables.ts";
import type { LedgerDatabase } from "./ledger_tables.ts";
import { failed, newExchange, now, silent, sqsEvent, startCloudFirst } from "./support.ts";

const error = { code: "CHECKSUM_MISMATCH", message: "the copy is not true" };

/** An event about file 11 of document 7; override what the test is about. */
function fileEvent(exchange: ExchangeContext, eventType: EventType, more: Partial<ExchangeEvent> = {}): ExchangeEvent {
  return {
    eventId: `${exchange.exchangeId}:${eventType}`,
    source: "test",
    eventType,
    status: "SUCCESS",
    jobId: exchange.exchangeId,
    caseId: exchange.caseId,
    sourceCaseId: exchange.sourceCaseId,
    batchId: exchange.batchId,
    documentId: "7",
    timestamp: now.toISOString(),
    detail: { fileId: "11", role: "document" },
    ...more,
  };
}

describe("the ledger", () => {
  const exchange = newExchange();
  const failing = { status: "ERROR", detail: { fileId: "11", role: "document", error } } as const;
  const native = { detail: { fileId: "11", role: "native" } };

  const readings: [string, ExchangeEvent, [string, string][]][] = [
    ["a copied document", fileEvent(exchange, "DOCUMENT_COPIED"), [["copy", "done"]]],
    ["a copied native", fileEvent(exchange, "NATIVE_DOCUMENT_COPIED", native), [["copy", "done"]]],
    [
      "a document that was not found",
      fileEvent(exchange, "DOCUMENT_NOT_FOUND"),
      [
        ["copy", "not_found"],
        ["upload", "not_found"],
      ],
    ],
    ["a native that was not found", fileEvent(exchange, "DOCUMENT_NOT_FOUND", native), [["copy", "not_found"]]],
    [
      "a document that failed",
      fileEvent(exchange, "S3_DOC_COPIED", failing),
      [
        ["copy", "failed"],
        ["upload", "failed"],
      ],
    ],
    [
      "a native that failed",
      fileEvent(exchange, "S3_DOC_COPIED", { status: "ERROR", ...native }),
      [["copy", "failed"]],
    ],
    ["an uploaded document", fileEvent(exchange, "DOCUMENT_UPLOADED"), [["upload", "done"]]],
    ["a failed upload", fileEvent(exchange, "DOCUMENT_UPLOADED", failing), [["upload", "failed"]]],
    ["a pre-processed document", fileEvent(exchange, "DOCUMENT_PRE_PROCESSED"), [["pre_upload", "done"]]],
    [
      "a document that was not found when it was to be pre-processed",
      fileEvent(exchange, "DOCUMENT_NOT_FOUND", { detail: { fileId: "11", role: "document", stage: "pre_upload" } }),
      ["pre_upload", "upload", "re_ocr", "search"].map((stage) => [stage, "not_found"]),
    ],
    [
      "a document whose pre-processing failed",
      fileEvent(exchange, "PRE_UPLOADER_FINISHED", failing),
      ["pre_upload", "upload", "re_ocr", "search"].map((stage) => [stage, "failed"]),
    ],
    [
      "a record of the manifest that was refused and names no document",
      fileEvent(exchange, "S3_DOC_COPIED", {
        ...{ status: "ERROR", documentId: undefined },
        detail: { fileId: "line-0-3", role: "document", error },
      }),
      [
        ["copy", "failed"],
        ["upload", "failed"],
      ],
    ],
    ["an extracted text", fileEvent(exchange, "DOCUMENT_TEXT_EXTRACTED"), [["re_ocr", "done"]]],
    [
      "a failed extraction",
      fileEvent(exchange, "DOCUMENT_TEXT_EXTRACTED", failing),
      [
        ["re_ocr", "failed"],
        ["search", "failed"],
      ],
    ],
    ["an indexed document", fileEvent(exchange, "DOCUMENT_INDEXED"), [["search", "done"]]],
    ["a document that was not indexed", fileEvent(exchange, "DOCUMENT_INDEXED", failing), [["search", "failed"]]],
    ["an event of the exchange", fileEvent(exchange, "EXCHANGER_INITIATED", { detail: {} }), []],
  ];
  for (const [what, event, expected] of readings) {
    it(`reads ${what}`, () => {
      const entries = entriesOf(event);
      expect(entries.map(({ stage, state }) => [stage, state])).to.deep.equal(expected);
    });
  }

  it("keeps of an event all that a row needs", () => {
    expect(entriesOf(fileEvent(exchange, "DOCUMENT_UPLOADED", failing))).to.deep.equal([
      {
        exchangeId: exchange.exchangeId,
        stage: "upload",
        unitId: "11",
        documentId: "7",
        state: "failed",
        eventId: `${exchange.exchangeId}:DOCUMENT_UPLOADED`,
        error,
        redactions: null,
        removed: null,
        occurredAt: now,
      },
    ]);
  });

  const counts = (branded: number, layered: number, left: number) => ({
    ...{ fetched: branded + layered + left, branded, layered, left },
  });
  const redactionsOf = (exhibits: object[] | undefined) => {
    const detail = { fileId: "11", role: "document", ...(exhibits && { exhibits }) };
    return entriesOf(fileEvent(exchange, "DOCUMENT_PRE_PROCESSED", { detail })).map(({ redactions }) => redactions);
  };
  const summed: [title: string, exhibits: object[] | undefined, expected: object | null][] = [
    ["exhibits that all say it", [{ redactions: counts(2, 0, 1) }, { redactions: counts(0, 4, 0) }], counts(2, 4, 1)],
    ["no exhibit", [], counts(0, 0, 0)],
    ["exhibits of which one does not say it", [{ redactions: counts(2, 0, 1) }, { exhibitId: "3" }], null],
    ["an event that names no exhibits", undefined, null],
  ];
  for (const [title, exhibits, expected] of summed) {
    it(`knows what became of a document's redactions from ${title}: ${JSON.stringify(expected)}`, () => {
      expect(redactionsOf(exhibits)).to.deep.equal([expected]);
    });
  }

  it("refuses an event whose redactions do not add up, and says which", () => {
    expect(() => redactionsOf([{ redactions: { ...counts(2, 0, 1), fetched: 4 } }]))
      .to.throw("exhibits.0.redactions fetched must be the sum of branded, layered and left")
      .with.property("code", "INVALID_MESSAGE");
  });

  it("keeps what a document has no longer in the order of the names, without what is nothing", () => {
    const detail = { fileId: "11", role: "document", removed: { links: 0, bookmarks: 1, attachments: 2 } };

    const [entry] = entriesOf(fileEvent(exchange, "DOCUMENT_PRE_PROCESSED", { detail }));

    expect(JSON.stringify(entry?.removed)).to.equal('{"attachments":2,"bookmarks":1}');
  });

  describe("in the database", () => {
    startCloudFirst();
    let ledger: LedgerDatabase;
    let handle: ReturnType<typeof ledgerHandler>;

    before(async () => {
      ledger = await openLedger();
      handle = ledgerHandler({ database: ledger.database, log: silent });
    });
    beforeEach(() => ledger.admin.query("DELETE FROM exchange_documents"));
    after(() => ledger.end());

    const row = (stage: string, state: string, more: object = {}) => ({
      exchange_id: exchange.exchangeId,
      stage,
      unit_id: "11",
      document_id: "7",
      state,
      event_id: `${exchange.exchangeId}:DOCUMENT_COPIED`,
      error: null,
      ...{ redactions_fetched: null, redactions_branded: null, redactions_layered: null, redactions_left: null },
      removed: null,
      occurred_at: "2026-01-02T03:04:05.678000",
      ...more,
    });

    it("holds one row per file and stage, in UTC, also when an event comes twice", async () => {
      // Prepare
      const event = fileEvent(exchange, "DOCUMENT_COPIED");

      // Act
      const answers = [
        await handle(sqsEvent({ body: event }, { body: event })),
        await handle(sqsEvent({ body: event, receives: 2 })),
      ];

      // Assess
      expect(answers).to.deep.equal([failed(), failed()]);
      expect(await ledger.rows("exchange_documents")).to.deep.equal([row("copy", "done")]);
    });

    it("keeps the code and message of what failed", async () => {
      // Act
      await handle(sqsEvent({ body: fileEvent(exchange, "S3_DOC_COPIED", failing) }));

      // Assess
      const more = { event_id: `${exchange.exchangeId}:S3_DOC_COPIED`, error };
      expect(await ledger.rows("exchange_documents")).to.deep.equal([
        row("copy", "failed", more),
        row("upload", "failed", more),
      ]);
    });

    it("keeps what became of redactions and what was removed when weaker events come before and after", async () => {
      // Prepare
      const detail = {
        ...{ fileId: "11", role: "document", removed: { attachments: 2 } },
        exhibits: [{ exhibitId: "3", redactions: counts(2, 0, 1) }],
      };
      const copied = fileEvent(exchange, "DOCUMENT_COPIED", { detail });
      const weaker = fileEvent(exchange, "DOCUMENT_NOT_FOUND");

      // Act
      await handle(sqsEvent({ body: weaker }));
      await handle(sqsEvent({ body: copied }));
      await handle(sqsEvent({ body: weaker }));

      // Assess
      const [copy] = await ledger.rows("exchange_documents");
      const sums = { redactions_fetched: 3, redactions_branded: 2, redactions_layered: 0, redactions_left: 1 };
      expect(copy).to.deep.equal(row("copy", "done", { ...sums, removed: { attachments: 2 } }));
    });

    it("writes the good events of a batch and lets the unreadable ones come again", async () => {
      // Prepare
      const nameless = fileEvent(exchange, "DOCUMENT_COPIED", { detail: {} });

      // Act
      const answer = await handle(
        sqsEvent({ body: "{" }, { body: nameless }, { body: fileEvent(exchange, "DOCUMENT_COPIED") }),
      );

      // Assess
      expect(answer.batchItemFailures).to.have.deep.members(failed(0, 1).batchItemFailures);
      expect(await ledger.rows("exchange_documents")).to.deep.equal([row("copy", "done")]);
    });

    it("writes the others when the database refuses one event", async () => {
      // Prepare
      await ledger.admin.query(
        `CREATE TRIGGER refuse BEFORE INSERT ON exchange_documents FOR EACH ROW
         IF NEW.unit_id = '13' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'thirteen'; END IF`,
      );
      const refused = fileEvent(exchange, "DOCUMENT_COPIED", { detail: { fileId: "13", role: "native" } });

      // Act
      const answer = await handle(sqsEvent({ body: refused }, { body: fileEvent(exchange, "DOCUMENT_COPIED") }));

      // Assess
      await ledger.admin.query("DROP TRIGGER refuse");
      expect(answer).to.deep.equal(failed(0));
      expect(await ledger.rows("exchange_documents")).to.deep.equal([row("copy", "done")]);
    });

    it("answers with every event when the database cannot be written, and writes them when it can", async () => {
      // Prepare
      await ledger.admin.query("RENAME TABLE exchange_documents TO hidden");
      const batch = sqsEvent({ body: fileEvent(exchange, "DOCUMENT_COPIED") });

      // Act
      const without = await handle(batch);
      await ledger.admin.query("RENAME TABLE hidden TO exchange_documents");
      const again = await handle(batch);

      // Assess
      expect([without, again]).to.deep.equal([failed(0), failed()]);
      expect(await ledger.rows("exchange_documents")).to.deep.equal([row("copy", "done")]);
    });

    it("ends in the same rows in whatever order, grouping and number of times events arrive", async function () {
      this.timeout(60_000);
      // Prepare
      const types: EventType[] = [
        "DOCUMENT_COPIED",
        "NATIVE_DOCUMENT_COPIED",
        "DOCUMENT_NOT_FOUND",
        "S3_DOC_COPIED",
        "DOCUMENT_UPLOADED",
      ];
      const oneEvent = fc
        .record({
          type: fc.constantFrom(...types),
          failed: fc.boolean(),
          fileId: fc.constantFrom("1", "2"),
          role: fc.constantFrom("document", "native", "text"),
          second: fc.integer({ min: 0, max: 2 }),
          left: fc.option(fc.integer({ min: 0, max: 2 })),
          teller: fc.constantFrom("a", "B", "_"),
        })
        .map(({ type, failed: isError, fileId, role, second, left, teller }) =>
          fileEvent(exchange, type, {
            // The id names the whole content: two different events never share one.
            eventId: [type, isError, fileId, role, second, left, teller].join(":"),
            status: isError ? "ERROR" : "SUCCESS",
            timestamp: new Date(now.getTime() + second * 1000).toISOString(),
            detail: {
              ...{ fileId, role },
              ...(left !== null && { exhibits: [{ redactions: counts(1, 0, left) }], removed: { links: left } }),
              ...(isError && { error: { code: "FAILED", message: teller } }),
            },
          }),
        );
      const arrivals = fc.array(oneEvent, { minLength: 1, maxLength: 8 }).chain((events) =>
        fc.record({
          events: fc.constant(events),
          again: fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }),
          batchSize: fc.integer({ min: 1, max: 6 }),
        }),
      );
      const rowsAfter = async (events: ExchangeEvent[], batchSize: number) => {
        await ledger.admin.query("DELETE FROM exchange_documents");
        for (let first = 0; first < events.length; first += batchSize) {
          const batch = events.slice(first, first + batchSize).map((body) => ({ body }));
          expect(await handle(sqsEvent(...batch))).to.deep.equal(failed());
        }
        return ledger.rows("exchange_documents");
      };

      // Act, Assess
      await fc.assert(
        fc.asyncProperty(arrivals, async ({ events, again, batchSize }) => {
          const once = await rowsAfter(events, events.length);
          expect(await rowsAfter(again, batchSize)).to.deep.equal(once);
        }),
        { numRuns: 150 },
      );
    });

    it("stands many writers of the same rows at once", async () => {
      // Prepare
      const files = Array.from({ length: 20 }, (_, id) => String(id + 1));
      const batch = (ids: string[]) =>
        sqsEvent(
          ...ids.map((fileId) => ({
            body: fileEvent(exchange, "DOCUMENT_NOT_FOUND", { detail: { fileId, role: "document" } }),
          })),
        );

      // Act
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, turn) => handle(batch(turn % 2 === 0 ? files : files.toReversed()))),
      );

      // Assess
      expect(answers).to.deep.equal(answers.map(() => failed()));
      expect(await ledger.rows("exchange_documents")).to.have.length(40);
    });
  });
});
