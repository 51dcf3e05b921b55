import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import fc from "fast-check";
import { PermanentError } from "../../contracts/errors.ts";
import type { PayloadInput } from "../../contracts/execution.ts";
import type { ManifestFile, ManifestLine } from "../../contracts/manifest.ts";
import { linesOf } from "../../processors/payload/lines.ts";
import { constructPayload } from "../../processors/payload/process.ts";
import { connect, drain, newExchange, silent, startCloudFirst } from "./support.ts";
import type { Aws } from "./support.ts";

describe("the payload Lambda", () => {
  startCloudFirst();
  let aws: Aws;
  let input: PayloadInput;

  beforeEach(async () => {
    aws = await connect();
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
  const failure = () => constructPayload({ ...aws, log: silent }, input).catch((error: unknown) => error);

  it("sends one message per file and counts what each stage will see", async () => {
    // Prepare
    const lines = [line(1, file(1, "document"), file(2, "native")), line(2), line(3, file(3, "document"))];
    await putPart(lines.map((one) => `${JSON.stringify(one)}\n`).join(""));

    // Act
    const result = await constructPayload({ ...aws, log: silent }, input);

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
    const results = [
      await constructPayload({ ...aws, log: silent }, input),
      await constructPayload({ ...aws, log: silent }, input),
    ];

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
    const result = await constructPayload({ ...aws, log: silent }, input);

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
    await constructPayload({ ...aws, log: silent }, input);

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
      const result = await constructPayload({ ...aws, log: silent }, input);

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
    const result = await constructPayload({ ...aws, log: silent }, input);

    // Assess
    expect(result).to.deep.equal({ part: input.partKey, documents: 0, copy: 0, upload: 0, ...none });
    expect(await drain(aws.sqs, input.queues.s3_copy!)).to.deep.equal([]);
  });

  it("names part and line of what is not a manifest line", async () => {
    // Prepare
    await putPart(`${JSON.stringify(line(1))}\n{"documentId":"0"}\n`);

    // Act
    const error = await failure();

    // Assess
    expect(error).to.be.instanceOf(PermanentError).and.include({ code: "INVALID_MANIFEST" });
    expect(error).to.have.property("message").that.contains(`line 2 of ${input.partKey} is not a manifest line: `);
  });

  it("calls a part that is not there permanent", async () => {
    expect(await failure())
      .to.be.instanceOf(PermanentError)
      .and.include({ code: "NO_SUCH_KEY" });
  });

  it("names the fields of an input that does not fit", async () => {
    // Act
    const error: unknown = await constructPayload({ ...aws, log: silent }, { ...input, partKey: "" }).catch(
      (thrown: unknown) => thrown,
    );

    // Assess
    expect(error).to.be.instanceOf(PermanentError).and.include({ code: "INVALID_INPUT" });
    expect(error).to.have.property("message").that.contains("partKey: ");
  });

  it("finds the same lines however the stream is cut", () => {
    const text = fc.array(fc.string({ unit: "binary" }).filter((one) => one !== "" && !one.includes("\n")));
    return fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 7 }), async (lines, size) => {
        const bytes = Buffer.from(lines.map((one) => `${one}\n`).join(""));
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        const found: string[] = [];
        for await (const one of linesOf(stream(chunks))) found.push(one);
        expect(found).to.deep.equal(lines);
      }),
    );
  });
});

async function* stream(chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}
