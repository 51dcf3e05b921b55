import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { s3CopyHandler } from "../../processors/s3_copy/process.ts";
import { copiedEvent, openCopyBench, sha256, uploaderMessageOf } from "./copy_bench.ts";
import type { CopyBench } from "./copy_bench.ts";
import {
  copyMessage,
  drain,
  drainEvents,
  failed,
  newExchange,
  recordingLog,
  sqsEvent,
  startCloudFirst,
} from "./support.ts";

describe("the S3 copy processor", () => {
  startCloudFirst();
  let bench: CopyBench;

  beforeEach(async () => {
    bench = await openCopyBench();
  });
  afterEach(() => {
    bench.aws.destroy();
  });

  it("copies a document with its type and metadata, tells the topic and the uploader", async () => {
    // Prepare
    const { aws, to, heard, bucket, put, read } = bench;
    const message = copyMessage(newExchange(), bucket, { sha256: sha256("hello") });
    await put(message.file.sourceKey, "hello", { ContentType: "application/pdf", Metadata: { custodian: "a" } });

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed());
    expect(await read(message.file.destinationKey)).to.equal("hello");
    const head = await aws.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: message.file.destinationKey }));
    expect([head.ContentType, head.Metadata]).to.deep.equal(["application/pdf", { custodian: "a" }]);
    const events = await drain(aws.sqs, heard);
    expect(events.map(({ body }) => body)).to.deep.equal([copiedEvent(message, 5)]);
    const uploads = await drain(aws.sqs, to.uploaderQueueUrl);
    expect(uploads).to.deep.equal([{ body: uploaderMessageOf(message, 5), attributes: {} }]);
  });

  it("copies once and tells again when the same message comes twice", async () => {
    // Prepare
    const { aws, to, heard, bucket, put, beforeCommand } = bench;
    const message = copyMessage(newExchange(), bucket);
    await put(message.file.sourceKey, "hello");
    let copies = 0;
    beforeCommand("CopyObjectCommand", () => (copies += 1));
    const { log, lines } = recordingLog();

    // Act
    const first = await s3CopyHandler({ ...to, log })(sqsEvent({ body: message }));
    const second = await s3CopyHandler({ ...to, log })(sqsEvent({ body: message, receives: 2 }));

    // Assess
    expect([first, second]).to.deep.equal([failed(), failed()]);
    expect(copies).to.equal(1);
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([copiedEvent(message, 5), copiedEvent(message, 5)]);
    expect((await drain(aws.sqs, to.uploaderQueueUrl)).map(({ body }) => body)).to.deep.equal([
      uploaderMessageOf(message, 5),
      uploaderMessageOf(message, 5),
    ]);
    expect(lines.at(-1)).to.include({ code: "ALREADY_COPIED", exchangeId: message.exchange.exchangeId, fileId: "11" });
  });

  it("tells of natives and texts without the uploader", async () => {
    // Prepare
    const { aws, to, heard, bucket, put } = bench;
    const exchange = newExchange();
    const native = copyMessage(exchange, bucket, { fileId: "21", role: "native" });
    const text = copyMessage(exchange, bucket, { fileId: "22", role: "text" });
    await put(native.file.sourceKey, "native");
    await put(text.file.sourceKey, "text");

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: native }, { body: text }));

    // Assess
    expect(answer).to.deep.equal(failed());
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([copiedEvent(native, 6), copiedEvent(text, 4)]);
    expect(await drain(aws.sqs, to.uploaderQueueUrl)).to.deep.equal([]);
  });

  it("tells that a document was not found and does not fail", async () => {
    // Prepare
    const { aws, to, heard, bucket } = bench;
    const message = copyMessage(newExchange(), bucket);

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed());
    const { sourceKey, destinationKey } = message.file;
    const error = { code: "NO_SUCH_KEY", message: `there is no object ${sourceKey} in the source case` };
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([
      {
        ...copiedEvent(message, 0),
        eventId: `${message.exchange.exchangeId}:copy:11:not_found`,
        eventType: "DOCUMENT_NOT_FOUND",
        status: "ERROR",
        detail: { fileId: "11", role: "document", destinationDocumentId: "70", sourceKey, destinationKey, error },
      },
    ]);
    expect(await drain(aws.sqs, to.uploaderQueueUrl)).to.deep.equal([]);
  });

  /** What S3 answers to a HEAD of a missing key where the right to list is bound to a prefix. */
  const forbidden = () => {
    throw Object.assign(new Error("Forbidden"), { name: "403", $metadata: { httpStatusCode: 403 } });
  };

  it("takes a HEAD that is forbidden for a missing file when a listing does not show the key", async () => {
    // Prepare
    const { aws, to, heard, bucket, beforeCommand } = bench;
    beforeCommand("HeadObjectCommand", forbidden);
    const message = copyMessage(newExchange(), bucket);

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed());
    expect((await drainEvents(aws.sqs, heard)).map(({ eventType }) => eventType)).to.deep.equal(["DOCUMENT_NOT_FOUND"]);
  });

  it("tries again a file that is there and forbidden", async () => {
    // Prepare
    const { aws, to, heard, bucket, put, beforeCommand } = bench;
    const message = copyMessage(newExchange(), bucket);
    await put(message.file.sourceKey, "hello");
    beforeCommand("HeadObjectCommand", forbidden);

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer.batchItemFailures).to.have.length(1);
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([]);
  });

  const oddNames = {
    "spaces and signs": "a b#c%d+e?f&g=h;i'j(k)!*~.pdf",
    "what looks encoded": "100%25 %2F.pdf",
    "a path that climbs": "../../x",
    "several scripts and emoji": "Грамота 契約書 عقد 👩‍👩‍👧.pdf",
    "900 characters": "n".repeat(900),
    "noncharacters and separators": "a\u2028b\uFFFEc.pdf",
    "empty segments": "a//b///c",
  };
  for (const [what, name] of Object.entries(oddNames)) {
    it(`copies a file whose name has ${what}`, async () => {
      // Prepare
      const { aws, to, heard, bucket, put, read } = bench;
      const exchange = newExchange();
      const message = copyMessage(exchange, bucket, {
        sourceKey: `case_${exchange.sourceCaseId}/files/${name}`,
        destinationKey: `case_${exchange.caseId}/files/${name}`,
      });
      await put(message.file.sourceKey, "hello");

      // Act
      const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

      // Assess
      expect(answer).to.deep.equal(failed());
      expect(await read(message.file.destinationKey)).to.equal("hello");
      expect(await drainEvents(aws.sqs, heard)).to.deep.equal([copiedEvent(message, 5)]);
    });
  }

  it("copies a file whose key has the 1024 bytes that S3 allows", async () => {
    // Prepare
    const { to, bucket, put, read } = bench;
    const exchange = newExchange();
    const prefix = `case_${exchange.sourceCaseId}/`;
    const sourceKey =
      prefix + "ß".repeat((1024 - prefix.length) / 2).padEnd(0) + "x".repeat((1024 - prefix.length) % 2);
    const message = copyMessage(exchange, bucket, { sourceKey });
    await put(sourceKey, "hello");

    // Act
    await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(Buffer.byteLength(sourceKey)).to.equal(1024);
    expect(await read(message.file.destinationKey)).to.equal("hello");
  });

  it("copies an empty file", async () => {
    // Prepare
    const { aws, to, heard, bucket, put, exists } = bench;
    const message = copyMessage(newExchange(), bucket, { size: 0, sha256: sha256("") });
    await put(message.file.sourceKey, "");

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed());
    expect(await exists(message.file.destinationKey)).to.equal(true);
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([copiedEvent(message, 0)]);
  });

  it("copies what is too large for one call in parts, with the source's type and metadata", async () => {
    // Prepare
    const { aws, to, heard, bucket, put, read, beforeCommand } = bench;
    const content = "0123456789".repeat(130_000);
    const message = copyMessage(newExchange(), bucket, { size: content.length });
    await put(message.file.sourceKey, content, {
      ContentType: "application/pdf",
      ContentDisposition: "inline",
      Metadata: { custodian: "a" },
    });
    const calls = { whole: 0, parts: 0 };
    beforeCommand("CopyObjectCommand", () => (calls.whole += 1));
    beforeCommand("UploadPartCopyCommand", () => (calls.parts += 1));

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed());
    expect(calls).to.deep.equal({ whole: 0, parts: 3 });
    expect(await read(message.file.destinationKey)).to.equal(content);
    const head = await aws.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: message.file.destinationKey }));
    const kept = [head.ContentType, head.ContentDisposition, head.Metadata];
    expect(kept).to.deep.equal(["application/pdf", "inline", { custodian: "a" }]);
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([copiedEvent(message, content.length)]);
  });
});
