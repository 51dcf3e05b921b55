import { expect } from "chai";
import { RecoverableError } from "../../contracts/errors.ts";
import { engineDocumentId, type EngineRecord } from "../../contracts/annotations.ts";
import { s3CopyHandler } from "../../processors/s3_copy/process.ts";
import { redactionCounter, type CountRedactions } from "../../processors/s3_copy/redactions.ts";
import { copiedEvent, openCopyBench, uploaderMessageOf, type CopyBench } from "./copy_bench.ts";
import { make, makePdf, openEngine, type EngineBench } from "./engine_bench.ts";
import { copyMessage, drain, drainEvents, failed, newExchange, silent, sqsEvent, startCloudFirst } from "./support.ts";

const limits = { timeoutMilliseconds: 20_000, pauseMilliseconds: 60_000 };
const counts = (left: number) => ({ fetched: left, branded: 0, layered: 0, left });

describe("the redactions that S3 Copy leaves behind", () => {
  startCloudFirst();
  let bench: CopyBench;
  let documentEngine: EngineBench;
  let countRedactions: CountRedactions;

  before(async () => {
    documentEngine = await openEngine();
  });
  after(() => documentEngine.stop());
  beforeEach(async () => {
    bench = await openCopyBench();
    countRedactions = redactionCounter(documentEngine.engine, limits);
  });
  afterEach(() => {
    bench.aws.destroy();
  });

  /** A PDF to be copied, on S3 and, for each exhibit, in Document Engine with these annotations. */
  async function place(...exhibits: EngineRecord[][]) {
    const exchange = newExchange();
    const message = copyMessage(exchange, bench.bucket);
    await bench.put(message.file.sourceKey, "hello");
    const pdf = await makePdf([{ lines: ["text"] }]);
    for (const [index, records] of exhibits.entries()) {
      const { sourceExhibitId: exhibitId } = message.exhibits[index]!;
      const id = engineDocumentId({ caseId: exchange.sourceCaseId, batchId: "import-1", documentId: "7", exhibitId });
      await documentEngine.engine.upload(id, pdf);
      if (records.length > 0) await documentEngine.engine.addAnnotations(id, records);
    }
    return message;
  }
  const redaction = (name: string, more: object = {}) => make.redaction(name, 0, [10, 10, 20, 10], more);

  it("are counted for each exhibit, redactions in any role, and nothing else is", async () => {
    // Prepare
    const message = await place(
      [
        redaction("r1"),
        redaction("r2", { isCommentThreadRoot: true, flags: ["hidden"] }),
        make.note("n", 0, [1, 1, 9, 9], "x"),
      ],
      [],
    );

    // Act
    const answer = await s3CopyHandler({ ...bench.to, countRedactions })(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed());
    const copied = copiedEvent(message, 5);
    const exhibits = [
      { exhibitId: "700", redactions: counts(2) },
      { exhibitId: "701", redactions: counts(0) },
    ];
    expect(await drainEvents(bench.aws.sqs, bench.heard)).to.deep.equal([
      { ...copied, detail: { ...copied.detail, exhibits, redactions: counts(2) } },
    ]);
    expect(await drain(bench.aws.sqs, bench.to.uploaderQueueUrl)).to.deep.equal([
      { body: uploaderMessageOf(message, 5), attributes: {} },
    ]);
  });

  it("are reported as unknown when a document is not in Document Engine, and the file is copied all the same", async () => {
    // Prepare
    const message = await place([redaction("r1")]);

    // Act
    const answer = await s3CopyHandler({ ...bench.to, countRedactions })(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed());
    expect(await bench.read(message.file.destinationKey)).to.equal("hello");
    const copied = copiedEvent(message, 5);
    const warning = {
      code: "REDACTIONS_NOT_COUNTED",
      message: "the redactions of document 7 that are left behind could not be counted: DOCUMENT_ENGINE_NOT_FOUND",
    };
    expect(await drainEvents(bench.aws.sqs, bench.heard)).to.deep.equal([
      { ...copied, detail: { ...copied.detail, warning } },
    ]);
  });

  it("are not looked for in natives and texts", async () => {
    // Prepare
    const exchange = newExchange();
    const native = copyMessage(exchange, bench.bucket, { fileId: "21", role: "native" });
    await bench.put(native.file.sourceKey, "native");
    await documentEngine.requests();

    // Act
    await s3CopyHandler({ ...bench.to, countRedactions })(sqsEvent({ body: native }));

    // Assess
    expect(await drainEvents(bench.aws.sqs, bench.heard)).to.deep.equal([copiedEvent(native, 6)]);
    expect(await documentEngine.requests()).to.deep.equal([]);
  });

  const message = copyMessage({ exchangeId: "e", sourceCaseId: 1, caseId: 2, batchId: "b1" }, "bucket");
  const warningOf = async (counting: Promise<object>) => {
    const { warning } = (await counting) as { warning?: { message: string } };
    return warning?.message.split(": ").at(-1);
  };
  const never = { annotations: () => Promise.reject(new Error("must not be asked")) };

  it("are none where a document has no exhibits, and nobody is asked", async () => {
    const bare = { ...message, exhibits: [], exhibitIds: [], sourceBatchId: null };

    expect(await redactionCounter(never, limits)(bare, silent)).to.deep.equal({
      exhibits: [],
      redactions: counts(0),
    });
  });

  const unnamed: [title: string, more: object, code: string][] = [
    ["without a batch in the source case", { sourceBatchId: null }, "NO_SOURCE_BATCH"],
    ["whose exhibits in the source case are not named", { exhibits: [] }, "EXHIBITS_UNKNOWN"],
  ];
  for (const [title, more, code] of unnamed) {
    it(`are unknown of a document ${title}`, async () => {
      expect(await warningOf(redactionCounter(never, limits)({ ...message, ...more }, silent))).to.equal(code);
    });
  }

  it("are unknown after the time for them is over, and the copy does not wait longer", async () => {
    const silentEngine = { annotations: () => new Promise<EngineRecord[]>(() => undefined) };
    const count = redactionCounter(silentEngine, { ...limits, timeoutMilliseconds: 5 });

    expect(await warningOf(count(message, silent))).to.equal("DOCUMENT_ENGINE_TIMEOUT");
  });

  it("are not asked for any more after three failures in a row, until a pause is over", async () => {
    // Prepare
    let asked = 0;
    let isDown = true;
    const annotations = () => {
      asked += 1;
      const error = new RecoverableError("DOCUMENT_ENGINE_UNREACHABLE", "no route");
      return isDown ? Promise.reject(error) : Promise.resolve([]);
    };
    const one = { ...message, exhibits: message.exhibits.slice(0, 1), exhibitIds: ["700"] };
    const count = redactionCounter({ annotations }, { ...limits, pauseMilliseconds: 0 });
    const paused = redactionCounter({ annotations }, limits);
    const codes: unknown[] = [];

    // Act
    for (let turn = 0; turn < 4; turn += 1) codes.push(await warningOf(paused(one, silent)));
    const askedWhilePaused = asked;
    for (let turn = 0; turn < 3; turn += 1) await count(one, silent);
    isDown = false;
    const after = await count(one, silent);

    // Assess
    const down = "DOCUMENT_ENGINE_UNREACHABLE";
    expect(codes).to.deep.equal([down, down, down, "DOCUMENT_ENGINE_UNAVAILABLE"]);
    expect(askedWhilePaused).to.equal(3);
    const exhibits = [{ exhibitId: "700", redactions: counts(0) }];
    expect(after).to.deep.equal({ exhibits, redactions: counts(0) });
  });

  it("are asked for again of the next document after any number that Document Engine does not have", async () => {
    // Prepare
    const missing = await Promise.all([place(), place(), place(), place()]);
    const known = await place([redaction("r1")], [redaction("r2")]);

    // Act
    for (const one of missing) await countRedactions(one, silent);
    const counted = await countRedactions(known, silent);

    // Assess
    expect(counted).to.deep.equal({
      exhibits: [
        { exhibitId: "700", redactions: counts(1) },
        { exhibitId: "701", redactions: counts(1) },
      ],
      redactions: counts(2),
    });
  });
});
