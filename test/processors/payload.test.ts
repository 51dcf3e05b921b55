import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { PermanentError } from "../../contracts/errors.ts";
import { fileDetail } from "../../contracts/events.ts";
import type { ExchangeEvent } from "../../contracts/events.ts";
import type { PayloadInput } from "../../contracts/execution.ts";
import type { Stage } from "../../contracts/ledger.ts";
import type { ManifestFile, ManifestLine } from "../../contracts/manifest.ts";
import { preUploaderMessage } from "../../contracts/messages.ts";
import { entriesOf } from "../../processors/ledger/entries.ts";
import { constructPayload } from "../../processors/payload/process.ts";
import { connect, drain, drainEvents, newExchange, now, silent, startCloudFirst } from "./support.ts";
import type { Aws } from "./support.ts";

describe("the payload Lambda", () => {
  startCloudFirst();
  let aws: Aws;
  let input: PayloadInput;
  let topicArn: string;
  let heard: string;

  beforeEach(async () => {
    aws = await connect();
    ({ topicArn, heard } = await aws.topic());
    const exchange = newExchange();
    input = {
      exchange,
      dataBucket: aws.cloud.caseBucket,
      partKey: `exchanges/${exchange.exchangeId}/manifest/part-00000.jsonl`,
      caseBucket: "case-files",
      annotations: null,
      queues: { s3_copy: await aws.queue(), pre_uploader: await aws.queue() },
    };
  });

  afterEach(() => {
    aws.destroy();
  });

  const file = (id: number, role: ManifestFile["role"]): ManifestFile => ({
    fileId: String(id),
    destinationFileId: String(id + 1000),
    role,
    sourceKey: `case_1/\u2028\u0085\uFFFE😀/${id}`,
    destinationKey: `case_2/${id}`,
    size: id,
    sha256: null,
  });
  const line = (id: number, ...files: ManifestFile[]): ManifestLine => ({
    documentId: String(id),
    destinationDocumentId: String(id + 1000),
    sourceBatchId: "b0",
    exhibits: [{ sourceExhibitId: String(id + 4), exhibitId: String(id + 2000) }],
    files,
  });
  const putPart = async (text: string) => {
    const { dataBucket: Bucket, partKey: Key } = input;
    await aws.s3.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.from(text) }));
  };
  const messageFor = (of: ManifestLine, index: number) => ({
    kind: "s3_copy",
    exchange: input.exchange,
    documentId: of.documentId,
    destinationDocumentId: of.destinationDocumentId,
    exhibitIds: of.exhibits.map(({ exhibitId }) => exhibitId),
    exhibits: of.files[index]?.role === "document" ? of.exhibits : [],
    sourceBatchId: of.sourceBatchId,
    bucket: "case-files",
    file: of.files[index],
  });
  const none = { pre_upload: 0, re_ocr: 0, search: 0 };
  const construct = (of: unknown = input) => constructPayload({ ...aws, topicArn, now: () => now, log: silent }, of);
  const failure = () => construct().catch((error: unknown) => error);

  it("sends one message per file and counts what each stage will see", async () => {
    // Prepare
    const lines = [line(1, file(1, "document"), file(2, "native")), line(2), line(3, file(3, "document"))];
    await putPart(lines.map((one) => `${JSON.stringify(one)}\n`).join(""));

    // Act
    const result = await construct();

    // Assess
    expect(result).to.deep.equal({ part: input.partKey, documents: 3, copy: 3, upload: 2, ...none });
    const messages = (await drain(aws.sqs, input.queues.s3_copy!)).map(({ body }) => body);
    expect(messages).to.have.deep.members([
      messageFor(lines[0]!, 0),
      messageFor(lines[0]!, 1),
      messageFor(lines[2]!, 0),
    ]);
  });

  it("answers the same when it is invoked again, and sends the same messages again", async () => {
    // Prepare
    await putPart(JSON.stringify(line(1, file(1, "document"))));

    // Act
    const results = [await construct(), await construct()];

    // Assess
    const result = { part: input.partKey, documents: 1, copy: 1, upload: 1, ...none };
    expect(results).to.deep.equal([result, result]);
    const messages = (await drain(aws.sqs, input.queues.s3_copy!)).map(({ body }) => body);
    const message = messageFor(line(1, file(1, "document")), 0);
    expect(messages).to.deep.equal([message, message]);
  });

  it("sends every message of a long part", async () => {
    // Prepare
    const lines = Array.from({ length: 250 }, (_, id) => line(id + 1, file(id + 1, "document")));
    await putPart(lines.map((one) => JSON.stringify(one)).join("\n"));

    // Act
    const result = await construct();

    // Assess
    expect(result).to.deep.equal({ part: input.partKey, documents: 250, copy: 250, upload: 250, ...none });
    const messages = (await drain(aws.sqs, input.queues.s3_copy!)).map(({ body }) => body);
    expect(messages).to.have.deep.members(lines.map((one) => messageFor(one, 0)));
  });

  it("names the exhibits only as far as a message has room for them", async () => {
    // Prepare
    const exhibits = Array.from({ length: 1001 }, (_, id) => ({
      sourceExhibitId: `${id + 1}`,
      exhibitId: `${id + 9001}`,
    }));
    const few = { ...line(1, file(1, "document")), exhibits: exhibits.slice(1) };
    const many = { ...line(2, file(2, "document")), exhibits };
    await putPart([few, many].map((one) => JSON.stringify(one)).join("\n"));

    // Act
    await construct();

    // Assess
    const messages = (await drain(aws.sqs, input.queues.s3_copy!)).map(({ body }) => body);
    expect(messages).to.have.deep.members([messageFor(few, 0), { ...messageFor(many, 0), exhibits: [] }]);
  });

  describe("with annotations", () => {
    const annotations = { redactionsAs: "brand_in" as const };

    it("sends PDFs to be pre-processed, natives to be copied, and no texts of the source case at all", async () => {
      // Prepare
      input.annotations = annotations;
      const files = [file(1, "document"), file(2, "native"), file(3, "text")];
      await putPart(JSON.stringify(line(1, ...files)));

      // Act
      const result = await construct();

      // Assess
      const stages = { copy: 1, pre_upload: 1, upload: 1, re_ocr: 1, search: 1 };
      expect(result).to.deep.equal({ part: input.partKey, documents: 1, ...stages });
      const [copied, preProcessed] = await Promise.all(
        [input.queues.s3_copy!, input.queues.pre_uploader!].map((url) => drain(aws.sqs, url)),
      );
      expect(copied!.map(({ body }) => body)).to.deep.equal([messageFor(line(1, ...files), 1)]);
      expect(preProcessed!.map(({ body }) => body)).to.deep.equal([
        {
          ...messageFor(line(1, ...files), 0),
          kind: "pre_uploader",
          annotations,
        },
      ]);
    });

    it("fails a refused document in every stage that it would have passed", async () => {
      // Prepare
      input.annotations = annotations;
      const given = line(1, file(1, "document"), file(2, "native"), file(3, "text"));
      await putPart(JSON.stringify({ ...given, destinationDocumentId: "" }));

      // Act
      const result = await construct();

      // Assess
      const stages = { copy: 1, pre_upload: 1, upload: 1, re_ocr: 1, search: 1 };
      expect(result).to.deep.equal({ part: input.partKey, documents: 1, ...stages });
      const events = await drainEvents(aws.sqs, heard);
      expect(
        events.map(({ eventType, documentId, detail }) => [eventType, documentId, detail["fileId"]]),
      ).to.deep.equal([
        ["S3_DOC_COPIED", "1", "2"],
        ["PRE_UPLOADER_FINISHED", "1", "1"],
      ]);
      expect(sumOfStages(events)).to.deep.equal(stages);
    });

    it("sends the batch of the source case as it is, since it is part of an id in Document Engine", async () => {
      // Prepare
      input.annotations = annotations;
      const batches = ["VOL.001", "Vol 1", ""];
      await putPart(
        batches
          .map((batch, index) =>
            JSON.stringify({ ...line(index + 1, file(index + 1, "document")), sourceBatchId: batch }),
          )
          .join("\n"),
      );

      // Act
      await construct();

      // Assess
      const sent = (await drain(aws.sqs, input.queues.pre_uploader!)).map(({ body }) => preUploaderMessage.parse(body));
      expect(sent.map(({ documentId, sourceBatchId }) => [documentId, sourceBatchId]).sort()).to.deep.equal([
        ["1", "VOL.001"],
        ["2", "Vol 1"],
        ["3", null],
      ]);
    });

    it("refuses a file for which there is no queue", async () => {
      input = { ...input, annotations, queues: { pre_uploader: input.queues.pre_uploader } };
      await putPart(JSON.stringify(line(1, file(2, "native"))));
      expect(await failure())
        .to.be.instanceOf(PermanentError)
        .and.include({ code: "QUEUE_MISSING" });
    });
  });

  it("takes an empty part for no documents", async () => {
    // Prepare
    await putPart("");

    // Act
    const result = await construct();

    // Assess
    expect(result).to.deep.equal({ part: input.partKey, documents: 0, copy: 0, upload: 0, ...none });
    expect(await drain(aws.sqs, input.queues.s3_copy!)).to.deep.equal([]);
  });

  const refusal = (fileId: string, role: string, documentId: string | undefined, message: string) => ({
    eventId: `${input.exchange.exchangeId}:copy:${fileId}:failed`,
    source: "payload_processor",
    eventType: "S3_DOC_COPIED",
    status: "ERROR",
    jobId: input.exchange.exchangeId,
    caseId: input.exchange.caseId,
    sourceCaseId: input.exchange.sourceCaseId,
    batchId: input.exchange.batchId,
    ...(documentId !== undefined && { documentId }),
    timestamp: now.toISOString(),
    detail: { fileId, role, error: { code: "INVALID_RECORD", message } },
  });

  it("fails the document of a record that does not fit, by name, and sends all other documents", async () => {
    // Prepare
    const good = [line(1, file(1, "document")), line(4, file(4, "document"))];
    const tooLarge = line(2, file(2, "document"), file(3, "native"));
    const wrong = { ...tooLarge, files: tooLarge.files.map((one) => ({ ...one, size: "18446744073709551615" })) };
    await putPart([good[0], wrong, good[1]].map((one) => JSON.stringify(one)).join("\n"));

    // Act
    const result = await construct();

    // Assess
    expect(result).to.deep.equal({ part: input.partKey, documents: 3, copy: 4, upload: 3, ...none });
    const size = 'is 18446744073709551615, more bytes than an object on S3 can have ("18446744073709551615")';
    const message = `line 2 of ${input.partKey} does not fit: files.0.size ${size}; files.1.size ${size}`;
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([
      refusal("2", "document", "2", message),
      refusal("3", "native", "2", message),
    ]);
    const messages = (await drain(aws.sqs, input.queues.s3_copy!)).map(({ body }) => body);
    expect(messages).to.have.deep.members(good.map((one) => messageFor(one, 0)));
  });

  it("names the place of a record that names no document, and says the same again when it is invoked again", async () => {
    // Prepare
    await putPart(`\n{"documentId":"0"}\n`);

    // Act
    const results = [await construct(), await construct()];

    // Assess
    const result = { part: input.partKey, documents: 1, copy: 1, upload: 1, ...none };
    expect(results).to.deep.equal([result, result]);
    const events = await drainEvents(aws.sqs, heard);
    expect(events.map(({ eventId, documentId, detail }) => [eventId, documentId, detail["fileId"]])).to.deep.equal(
      Array.from({ length: 2 }, () => [`${input.exchange.exchangeId}:copy:line-0-2:failed`, undefined, "line-0-2"]),
    );
  });

  it("fails a document with more exhibits than a message can name, and sends all other documents", async () => {
    // Prepare
    const exhibits = Array.from({ length: 20_000 }, (_, id) => ({
      sourceExhibitId: String(id + 1),
      exhibitId: String(2 ** 50 + id),
    }));
    await putPart(
      [{ ...line(1, file(1, "document")), exhibits }, line(2, file(2, "document"))]
        .map((one) => JSON.stringify(one))
        .join("\n"),
    );

    // Act
    const result = await construct();

    // Assess
    expect(result).to.deep.equal({ part: input.partKey, documents: 2, copy: 2, upload: 2, ...none });
    const events = await drainEvents(aws.sqs, heard);
    expect(events.map(({ documentId, detail }) => [documentId, fileDetail.parse(detail).error?.code])).to.deep.equal([
      ["1", "RECORD_TOO_LARGE"],
    ]);
    expect(events[0]).to.have.nested.property("detail.error.message").that.contains("document 1 has 20000 exhibits");
    const messages = (await drain(aws.sqs, input.queues.s3_copy!)).map(({ body }) => body);
    expect(messages).to.deep.equal([messageFor(line(2, file(2, "document")), 0)]);
  });

  for (const batch of ["VOL.001", "Vol 1", "\u2028"]) {
    it(`copies a document of the batch ${JSON.stringify(batch)}`, async () => {
      // Prepare
      const given = { ...line(1, file(1, "document")), sourceBatchId: batch };
      await putPart(JSON.stringify(given));

      // Act
      const result = await construct();

      // Assess
      expect(result).to.deep.equal({ part: input.partKey, documents: 1, copy: 1, upload: 1, ...none });
      expect((await drain(aws.sqs, input.queues.s3_copy!)).map(({ body }) => body)).to.deep.equal([
        messageFor(given, 0),
      ]);
    });
  }

  it("calls a part that is not named like one permanent", async () => {
    input = { ...input, partKey: `exchanges/${input.exchange.exchangeId}/manifest/other.jsonl` };
    await putPart("{}");
    expect(await failure())
      .to.be.instanceOf(PermanentError)
      .and.include({ code: "INVALID_MANIFEST" });
  });

  it("calls a part that is not there permanent", async () => {
    expect(await failure())
      .to.be.instanceOf(PermanentError)
      .and.include({ code: "NO_SUCH_KEY" });
  });

  it("names the fields of an input that does not fit", async () => {
    // Act
    const error: unknown = await construct({ ...input, partKey: "" }).catch((thrown: unknown) => thrown);

    // Assess
    expect(error).to.be.instanceOf(PermanentError).and.include({ code: "INVALID_INPUT" });
    expect(error).to.have.property("message").that.contains("partKey: ");
  });
});

/** The stages that the ledger closes by these events. */
function sumOfStages(events: readonly ExchangeEvent[]): Partial<Record<Stage, number>> {
  const sum: Partial<Record<Stage, number>> = {};
  for (const { stage } of events.flatMap(entriesOf)) sum[stage] = (sum[stage] ?? 0) + 1;
  return sum;
}
