import { SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import fc from "fast-check";
import { IterableBackoff, handleType, retry } from "cockatiel";
import { z } from "zod";
import { PermanentError, RecoverableError } from "../../contracts/errors.ts";
import type { ExchangeEvent } from "../../contracts/events.ts";
import { inBatches } from "../../processors/shared/batches.ts";
import { readEnvironment } from "../../processors/shared/environment.ts";
import { classify, isMissingObject } from "../../processors/shared/failures.ts";
import { publishEvents } from "../../processors/shared/publish.ts";
import { sendMessages, toBody } from "../../processors/shared/send.ts";
import { connect, drain, drainEvents, newExchange, now, startCloudFirst } from "./support.ts";
import type { Aws } from "./support.ts";

const impatient = retry(handleType(RecoverableError), { maxAttempts: 2, backoff: new IterableBackoff([0, 0]) });

describe("what processors share", () => {
  describe("batches", () => {
    it("hold every item once and in order, at most ten and 256 KiB", () => {
      const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 262_144 })));
      fc.assert(
        fc.property(sizes, (items) => {
          const batches = inBatches(items, (size) => size);
          expect(batches.flat()).to.deep.equal(items);
          for (const batch of batches) {
            expect(batch.length).to.be.within(1, 10);
            expect(batch.reduce((sum, size) => sum + size, 0)).to.be.at.most(262_144);
          }
        }),
      );
    });

    it("hold an item that is too large alone, for the service to refuse", () => {
      expect(inBatches([1, 300_000, 1], (size) => size)).to.deep.equal([[1], [300_000], [1]]);
    });
  });

  describe("the environment of a processor", () => {
    it("names every variable that is missing or malformed, and shows no value", () => {
      // Prepare
      const shape = z.object({ TOPIC_ARN: z.string(), COUNT: z.coerce.number().int(), FINE: z.string() });

      // Act
      const read = () => readEnvironment(shape, { COUNT: "secret", FINE: "x" });

      // Assess
      expect(read).to.throw("set the environment variables TOPIC_ARN (not set), COUNT (");
      expect(read).not.to.throw(/secret/);
    });
  });

  describe("errors of AWS", () => {
    const fault = (name: string, more: object = {}) => Object.assign(new Error("told"), { name, ...more });
    const rows: [string, unknown, string, string][] = [
      ["throttling", fault("ThrottlingException"), "recoverable", "THROTTLED"],
      ["S3 asking to slow down", fault("SlowDown", { $metadata: { httpStatusCode: 503 } }), "recoverable", "THROTTLED"],
      [
        "a server fault",
        fault("InternalError", { $metadata: { httpStatusCode: 500 } }),
        "recoverable",
        "SERVICE_FAULT",
      ],
      ["a broken connection", fault("Error", { code: "ECONNRESET" }), "recoverable", "UNREACHABLE"],
      ["a time-out", fault("TimeoutError"), "recoverable", "UNREACHABLE"],
      [
        "a denied access",
        fault("AccessDenied", { $metadata: { httpStatusCode: 403 } }),
        "recoverable",
        "ACCESS_DENIED",
      ],
      ["a denied HEAD", fault("403", { $metadata: { httpStatusCode: 403 } }), "recoverable", "ACCESS_DENIED"],
      [
        "a failed condition",
        fault("PreconditionFailed", { $metadata: { httpStatusCode: 412 } }),
        "recoverable",
        "CHANGED_MEANWHILE",
      ],
      ["a missing object", fault("NoSuchKey", { $metadata: { httpStatusCode: 404 } }), "permanent", "NO_SUCH_KEY"],
      ["an archived object", fault("InvalidObjectState"), "permanent", "OBJECT_ARCHIVED"],
      ["something unknown", fault("Surprise"), "recoverable", "UNEXPECTED"],
      ["what is not an error", "told", "recoverable", "UNEXPECTED"],
      ["an error of ours", new PermanentError("OURS", "told"), "permanent", "OURS"],
    ];
    for (const [what, thrown, kind, code] of rows) {
      it(`take ${what} for ${kind}, as ${code}`, () => {
        const error = classify(thrown);
        expect([error.kind, error.code]).to.deep.equal([kind, code]);
      });
    }

    it("tell a missing object by both of its names", () => {
      expect([fault("NoSuchKey"), fault("NotFound"), fault("NoSuchBucket")].map(isMissingObject)).to.deep.equal([
        true,
        true,
        false,
      ]);
    });
  });

  describe("sending in batches", () => {
    startCloudFirst();
    let aws: Aws;
    beforeEach(async () => {
      aws = await connect();
    });
    afterEach(() => {
      aws.destroy();
    });

    type Call = { input: object };
    interface Client {
      middlewareStack: { add: (middleware: never, options: { step: "initialize" }) => void };
    }

    /** Keeps the named entries of the first `times` batches from the service, and answers that it refused them. */
    const refuse = (client: Client, ids: string[], times: number, SenderFault = false) => {
      let left = times;
      const Failed = ids.map((Id) => ({ Id, Code: "Busy", Message: "try later", SenderFault }));
      const middleware = (next: (call: Call) => Promise<{ output: object }>) => async (call: Call) => {
        const [field, entries] = Object.entries(call.input).find(([, value]) => Array.isArray(value)) ?? [];
        if (field === undefined || left-- <= 0) return next(call);
        const seen = (entries as { Id: string }[]).filter(({ Id }) => !ids.includes(Id));
        if (seen.length === 0) return { output: { Failed } };
        const { output } = await next({ ...call, input: { ...call.input, [field]: seen } });
        return { output: { ...output, Failed } };
      };
      client.middlewareStack.add(middleware as never, { step: "initialize" });
    };

    it("sends each message once, also when there are more than one batch holds", async () => {
      // Prepare
      const queue = await aws.queue();
      const messages = Array.from({ length: 23 }, (_, number) => ({ number, text: "\uFFFF\u2028" }));

      // Act
      await sendMessages(aws.sqs, queue, messages);

      // Assess
      const bodies = (await drain(aws.sqs, queue)).map(({ body }) => body);
      expect(bodies).to.have.deep.members(messages);
      expect(bodies).to.have.length(23);
    });

    it("sends nothing at all when there is nothing to send", async () => {
      // Prepare
      const nowhere = new SQSClient({ ...aws.cloud.client("operator"), endpoint: "http://127.0.0.1:9" });

      // Act
      await sendMessages(nowhere, "http://127.0.0.1:9/000000000000/none", []);

      // Assess
      nowhere.destroy();
    });

    it("offers again only what was refused, and loses nothing", async () => {
      // Prepare
      const queue = await aws.queue();
      refuse(aws.sqs, ["1", "2"], 1);

      // Act
      await sendMessages(aws.sqs, queue, ["a", "b", "c"], impatient);

      // Assess
      expect((await drain(aws.sqs, queue)).map(({ body }) => body)).to.have.members(["a", "b", "c"]);
    });

    it("says how many were refused to the end", async () => {
      // Prepare
      const queue = await aws.queue();
      refuse(aws.sqs, ["2"], 3);

      // Act
      const error: unknown = await sendMessages(aws.sqs, queue, ["a", "b", "c"], impatient).catch((e: unknown) => e);

      // Assess
      expect(error).to.be.instanceOf(RecoverableError);
      expect(error).to.include({
        code: "SEND_INCOMPLETE",
        message: `1 of 3 messages were refused by ${queue} (Busy: try later)`,
      });
    });

    it("does not offer again what the service calls wrong", async () => {
      // Prepare
      const queue = await aws.queue();
      refuse(aws.sqs, ["0"], 1, true);

      // Act
      const error: unknown = await sendMessages(aws.sqs, queue, ["a"], impatient).catch((e: unknown) => e);

      // Assess
      expect(error).to.be.instanceOf(PermanentError).and.include({ code: "SEND_REFUSED" });
    });

    it("publishes events in batches, each with the attributes that filters look at", async () => {
      // Prepare
      const exchange = newExchange();
      const { topicArn, heard } = await aws.topic();
      refuse(aws.sns, ["3"], 1);
      const events = Array.from({ length: 12 }, (_, number): ExchangeEvent => ({
        eventId: `event-${String(number).padStart(2, "0")}`,
        source: "test",
        eventType: "DOCUMENT_COPIED",
        status: "SUCCESS",
        jobId: exchange.exchangeId,
        caseId: exchange.caseId,
        sourceCaseId: exchange.sourceCaseId,
        batchId: exchange.batchId,
        timestamp: now.toISOString(),
        detail: {},
      }));

      // Act
      await publishEvents(aws.sns, topicArn, events, impatient);

      // Assess
      expect(await drainEvents(aws.sqs, heard)).to.deep.equal(events);
    });
  });

  it("writes JSON that reads back the same, without the characters that SQS refuses", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const body = toBody({ text });
        expect(JSON.parse(body)).to.deep.equal({ text });
        expect(body).not.to.match(/[\uFFFE\uFFFF]/);
      }),
    );
    expect(toBody("\uFFFE")).to.equal('"\\ufffe"');
  });
});
