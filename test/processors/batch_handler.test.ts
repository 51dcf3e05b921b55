import { expect } from "chai";
import { z } from "zod";
import { AlreadyDone, PermanentError, RecoverableError } from "../../contracts/errors.ts";
import { batchHandler } from "../../processors/shared/batch_handler.ts";
import type { Redelivery } from "../../processors/shared/feed.ts";
import { failed, recordingLog, silent, sqsEvent } from "./support.ts";

describe("the handler of a batch", () => {
  const message = z.strictObject({ does: z.enum(["well", "fail", "give up", "again", "break"]) });
  type Message = z.infer<typeof message>;
  const process = ({ does }: Message) => {
    if (does === "fail") return Promise.reject(new RecoverableError("BUSY", "come again"));
    if (does === "give up") return Promise.reject(new PermanentError("HOPELESS", "never"));
    if (does === "again") return Promise.reject(new AlreadyDone("DONE", "done before"));
    if (does === "break") return Promise.reject(new TypeError("bug"));
    return Promise.resolve();
  };
  const handlerWith = (log = silent) => {
    const letters: [string, string][] = [];
    const hastened: [string, number][] = [];
    const redelivery: Redelivery = {
      ...{ maxReceiveCount: 3, retrySeconds: 60 },
      giveUp: (body, { code }) => {
        letters.push([body, code]);
        return Promise.resolve();
      },
      comeAgainIn: (seconds, receiptHandle) => {
        hastened.push([receiptHandle, seconds]);
        return Promise.resolve();
      },
    };
    const handle = batchHandler({ log, schema: message, fields: () => ({ caseId: 1 }), process, redelivery });
    return { handle, letters, hastened };
  };

  /** A handler that can neither give up nor hasten. */
  const unreachable = () => {
    const refuse = () => Promise.reject(new Error("no way"));
    const redelivery = { maxReceiveCount: 3, retrySeconds: 60, giveUp: refuse, comeAgainIn: refuse };
    return batchHandler({ log: silent, schema: message, fields: () => ({}), process, redelivery });
  };

  it("lets only those come again that may succeed later", async () => {
    // Prepare
    const { handle, letters, hastened } = handlerWith();
    const bodies = ["well", "fail", "give up", "again", "break"].map((does) => ({ body: { does } }));

    // Act
    const answer = await handle(sqsEvent(...bodies, { body: "no JSON" }, { body: { does: "other" } }));

    // Assess
    expect(answer.batchItemFailures).to.have.deep.members(failed(1, 4).batchItemFailures);
    expect(letters).to.have.deep.members([
      ['{"does":"give up"}', "HOPELESS"],
      ["no JSON", "INVALID_MESSAGE"],
      ['{"does":"other"}', "INVALID_MESSAGE"],
    ]);
    expect(hastened).to.have.deep.members([
      ["receipt-1", 60],
      ["receipt-4", 60],
    ]);
  });

  it("gives a failing message up on its last receive, with the reason", async () => {
    // Prepare
    const { handle, letters, hastened } = handlerWith();
    const body = { does: "fail" };

    // Act
    const answers = [2, 3, 4].map((receives) => handle(sqsEvent({ body, receives })));

    // Assess
    expect(await Promise.all(answers)).to.deep.equal([failed(0), failed(), failed()]);
    expect(letters).to.deep.equal([
      ['{"does":"fail"}', "BUSY"],
      ['{"does":"fail"}', "BUSY"],
    ]);
    expect(hastened, "before the last the queue's own time").to.deep.equal([]);
  });

  const inTurn: [receives: number, how: string, steps: string][] = [
    [1, "at once", "begin 2, begin 1, begin 0, end 2, end 1, end 0"],
    [2, "one by one", "begin 0, end 0, begin 1, end 1, begin 2, end 2"],
    [3, "one by one, the other way round", "begin 2, end 2, begin 1, end 1, begin 0, end 0"],
  ];
  for (const [receives, how, steps] of inTurn) {
    it(`works off a batch on its receive no. ${receives} ${how}, since one message may kill the others`, async () => {
      // Prepare
      const seen: string[] = [];
      const process = async ({ number }: { number: number }) => {
        seen.push(`begin ${number}`);
        await new Promise(setImmediate);
        seen.push(`end ${number}`);
      };
      const schema = z.object({ number: z.number() });
      const handle = batchHandler({ log: silent, schema, fields: () => ({}), process });

      // Act
      await handle(sqsEvent(...[1, 0, 2].map((number) => ({ body: { number }, receives, messageId: `id-${number}` }))));

      // Assess
      expect(seen.join(", ")).to.equal(steps);
    });
  }

  it("leaves a message in the queue that could not be laid into the dead-letter queue", async () => {
    // Prepare
    const handle = unreachable();

    // Act
    const answer = await handle(sqsEvent({ body: { does: "give up" } }));

    // Assess
    expect(answer).to.deep.equal(failed(0));
  });

  it("lets a message come again that could not be made to come sooner", async () => {
    // Prepare
    const handle = unreachable();

    // Act
    const answer = await handle(sqsEvent({ body: { does: "fail" } }, { body: { does: "well" } }));

    // Assess
    expect(answer).to.deep.equal(failed(0));
  });

  it("keeps two batches that run at the same time apart", async () => {
    // Prepare
    const { handle } = handlerWith();

    // Act
    const answers = await Promise.all([
      handle(sqsEvent({ body: { does: "well" } }, { body: { does: "fail" } })),
      handle(sqsEvent({ body: { does: "fail" } }, { body: { does: "well" } })),
    ]);

    // Assess
    expect(answers).to.deep.equal([failed(1), failed(0)]);
  });

  it("logs what it is about", async () => {
    // Prepare
    const { log, lines } = recordingLog();
    const { handle } = handlerWith(log);

    // Act
    await handle(sqsEvent({ body: { does: "fail" } }));

    // Assess
    expect(lines[0]).to.include({
      messageId: "message-0",
      receives: 1,
      bodyLength: 15,
      caseId: 1,
      code: "BUSY",
      msg: "message failed and will come again",
    });
  });
});
