import { createHash } from "node:crypto";
import {
  CopyObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  GetObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import type { S3CopyMessage } from "../../contracts/messages.ts";
import { s3CopyHandler } from "../../processors/s3_copy/process.ts";
import type { S3CopyDependencies } from "../../processors/s3_copy/process.ts";
import {
  connect,
  copyMessage,
  drain,
  drainEvents,
  failed,
  newExchange,
  now,
  recordingLog,
  required,
  silent,
  sqsEvent,
  startCloudFirst,
} from "./support.ts";
import type { Aws } from "./support.ts";

const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");

describe("the S3 copy processor", () => {
  startCloudFirst();
  let aws: Aws;
  let to: S3CopyDependencies;
  let heard: string;
  let bucket: string;

  beforeEach(async () => {
    aws = await connect();
    bucket = aws.cloud.caseBucket;
    const topic = await aws.topic();
    heard = topic.heard;
    to = {
      s3: aws.s3,
      sqs: aws.sqs,
      sns: aws.sns,
      log: silent,
      now: () => now,
      topicArn: topic.topicArn,
      uploaderQueueUrl: await aws.queue(),
      deadLetterQueueUrl: await aws.queue(),
      maxReceiveCount: 3,
      multipart: { thresholdBytes: 1_000_000, partBytes: 500_000 },
    };
  });

  afterEach(() => {
    aws.destroy();
  });

  const put = async (key: string, content: string | Uint8Array, more = {}, s3: S3Client = aws.s3) => {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: content, ...more }));
  };
  const read = async (key: string) => {
    const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return Buffer.from(await required(Body).transformToByteArray()).toString();
  };
  const exists = (key: string) =>
    aws.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key })).then(
      () => true,
      () => false,
    );

  /** A client as those had that wrote before S3 kept a checksum of everything. */
  const oldClient = () =>
    new S3Client({ ...aws.cloud.client("operator"), requestChecksumCalculation: "WHEN_REQUIRED" });

  const copiedEvent = (message: S3CopyMessage, size: number) => ({
    eventId: `${message.exchange.exchangeId}:copy:${message.file.fileId}:copied`,
    source: "s3_copy_processor",
    eventType: message.file.role === "native" ? "NATIVE_DOCUMENT_COPIED" : "DOCUMENT_COPIED",
    status: "SUCCESS",
    jobId: message.exchange.exchangeId,
    caseId: message.exchange.caseId,
    sourceCaseId: message.exchange.sourceCaseId,
    batchId: "b1",
    documentId: "7",
    exhibitIds: ["700", "701"],
    timestamp: now.toISOString(),
    detail: {
      fileId: message.file.fileId,
      role: message.file.role,
      destinationDocumentId: "70",
      sourceKey: message.file.sourceKey,
      destinationKey: message.file.destinationKey,
      size,
    },
  });

  const uploaderMessageOf = (message: S3CopyMessage, size: number) => ({
    kind: "doc_uploader",
    exchange: message.exchange,
    documentId: "7",
    destinationDocumentId: "70",
    exhibitIds: ["700", "701"],
    bucket,
    key: message.file.destinationKey,
    fileId: message.file.fileId,
    size,
  });

  it("copies a document with its type and metadata, tells the topic and the uploader", async () => {
    // Prepare
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
    const message = copyMessage(newExchange(), bucket);
    await put(message.file.sourceKey, "hello");
    let copies = 0;
    aws.s3.middlewareStack.add(
      (next) => (args) => {
        if (args.input instanceof Object && "CopySource" in args.input) copies += 1;
        return next(args);
      },
      { step: "initialize" },
    );
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

  it("replaces an object at the destination that is not a copy of the source", async () => {
    // Prepare
    const message = copyMessage(newExchange(), bucket);
    await put(message.file.sourceKey, "hello");
    await put(message.file.destinationKey, "other");

    // Act
    await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(await read(message.file.destinationKey)).to.equal("hello");
  });

  it("tells of natives and texts without the uploader", async () => {
    // Prepare
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

  it("tells that a document was not found when it goes while it is being copied", async () => {
    // Prepare
    const message = copyMessage(newExchange(), bucket);
    await put(message.file.sourceKey, "hello");
    aws.s3.middlewareStack.add(
      (next) => (args) => {
        if (args.input instanceof Object && "CopySource" in args.input) {
          args.input.CopySource = `${bucket}/case_${message.exchange.sourceCaseId}/gone`;
        }
        return next(args);
      },
      { step: "initialize" },
    );

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed());
    const events = await drainEvents(aws.sqs, heard);
    expect(events.map(({ eventType }) => eventType)).to.deep.equal(["DOCUMENT_NOT_FOUND"]);
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
    const message = copyMessage(newExchange(), bucket, { size: 0, sha256: sha256("") });
    await put(message.file.sourceKey, new Uint8Array());

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed());
    expect(await exists(message.file.destinationKey)).to.equal(true);
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([copiedEvent(message, 0)]);
  });

  it("copies what is too large for one call in parts, with the source's type and metadata", async () => {
    // Prepare
    const content = "0123456789".repeat(130_000);
    const message = copyMessage(newExchange(), bucket, { size: content.length });
    await put(message.file.sourceKey, content, {
      ContentType: "application/pdf",
      ContentDisposition: "inline",
      Metadata: { custodian: "a" },
    });
    const called: string[] = [];
    aws.s3.middlewareStack.add(
      (next, { commandName = "" }) =>
        (args) => {
          called.push(commandName);
          return next(args);
        },
      { step: "initialize" },
    );

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed());
    expect(called.filter((name) => name === "UploadPartCopyCommand")).to.have.length(3);
    expect(called).not.to.include("CopyObjectCommand");
    expect(await read(message.file.destinationKey)).to.equal(content);
    const head = await aws.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: message.file.destinationKey }));
    const kept = [head.ContentType, head.ContentDisposition, head.Metadata];
    expect(kept).to.deep.equal(["application/pdf", "inline", { custodian: "a" }]);
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([copiedEvent(message, content.length)]);
  });

  it("leaves no upload behind when a part cannot be copied, and lets the message come again", async () => {
    // Prepare
    const content = "0123456789".repeat(130_000);
    const message = copyMessage(newExchange(), bucket, { size: content.length });
    await put(message.file.sourceKey, content);
    aws.s3.middlewareStack.add(
      (next, { commandName }) =>
        (args) => {
          const fails =
            commandName === "UploadPartCopyCommand" && (args.input as { PartNumber?: number }).PartNumber === 2;
          if (fails) throw Object.assign(new Error("please slow down"), { name: "SlowDown" });
          return next(args);
        },
      { step: "initialize" },
    );

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed(0));
    const { Uploads = [] } = await aws.s3.send(
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: message.file.destinationKey }),
    );
    expect(Uploads).to.deep.equal([]);
    expect(await exists(message.file.destinationKey)).to.equal(false);
  });

  it("lets a message come again whose copy differs from the recorded checksum, and gives it up with the reason", async () => {
    // Prepare
    const old = oldClient();
    const message = copyMessage(newExchange(), bucket, { sha256: sha256("other") });
    await put(message.file.sourceKey, "hello", {}, old);
    old.destroy();

    // Act
    const second = await s3CopyHandler(to)(sqsEvent({ body: message, receives: 2 }));
    const third = await s3CopyHandler(to)(sqsEvent({ body: message, receives: 3 }));

    // Assess
    expect([second, third]).to.deep.equal([failed(0), failed()]);
    const base64 = (content: string) => createHash("sha256").update(content).digest("base64");
    const reason = {
      code: "CHECKSUM_MISMATCH",
      message:
        `the copy of ${message.file.sourceKey} is not true: its SHA256 is ${base64("hello")}, ` +
        `the source's database record says ${base64("other")}`,
    };
    const [letter] = await drain(aws.sqs, to.deadLetterQueueUrl);
    expect(letter).to.deep.equal({ body: message, attributes: { reason: JSON.stringify(reason) } });
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([]);
    expect(await drain(aws.sqs, to.uploaderQueueUrl)).to.deep.equal([]);
  });

  it("notices that the object at the destination is not what was copied", async () => {
    // Prepare
    const message = copyMessage(newExchange(), bucket);
    await put(message.file.sourceKey, "hello");
    aws.s3.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const answer = await next(args);
          if (commandName === "CopyObjectCommand") await put(message.file.destinationKey, "hellO");
          return answer;
        },
      { step: "initialize" },
    );

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed(0));
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([]);
  });

  it("lets a message come again when the source changes while it is being copied", async () => {
    // Prepare
    const message = copyMessage(newExchange(), bucket);
    await put(message.file.sourceKey, "hello");
    aws.s3.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === "CopyObjectCommand") await put(message.file.sourceKey, "changed");
          return next(args);
        },
      { step: "initialize" },
    );

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed(0));
    expect(await exists(message.file.destinationKey)).to.equal(false);
  });

  it("never touches another case than the two of its exchange", async () => {
    // Prepare
    const exchange = newExchange();
    const foreign = newExchange();
    const reads = copyMessage(exchange, bucket, { sourceKey: `case_${foreign.caseId}/secret.pdf` });
    const writes = copyMessage(exchange, bucket, { destinationKey: `case_${foreign.caseId}/planted.pdf` });
    const similar = copyMessage(exchange, bucket, { sourceKey: `case_${exchange.sourceCaseId}0/near.pdf` });
    await put(reads.file.sourceKey, "secret");
    await put(writes.file.sourceKey, "mine");
    await put(similar.file.sourceKey, "near");

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: reads }, { body: writes }, { body: similar }));

    // Assess
    expect(answer).to.deep.equal(failed());
    expect(await exists(reads.file.destinationKey)).to.equal(false);
    expect(await exists(writes.file.destinationKey)).to.equal(false);
    const letters = await drain(aws.sqs, to.deadLetterQueueUrl);
    const codes = letters.map(({ attributes }) => (JSON.parse(attributes["reason"] ?? "{}") as { code: string }).code);
    expect(codes).to.deep.equal(["INVALID_KEY", "INVALID_KEY", "INVALID_KEY"]);
  });

  it("works on the good messages of a batch when others are unreadable or fail", async () => {
    // Prepare
    const exchange = newExchange();
    const good = copyMessage(exchange, bucket, { fileId: "31" });
    const bad = copyMessage(exchange, bucket, { fileId: "32", sha256: sha256("other") });
    const old = oldClient();
    await put(good.file.sourceKey, "hello");
    await put(bad.file.sourceKey, "hello", {}, old);
    old.destroy();

    // Act
    const answer = await s3CopyHandler(to)(
      sqsEvent({ body: "{" }, { body: good }, { body: bad }, { body: { ...good, kind: "other" } }),
    );

    // Assess
    expect(answer).to.deep.equal(failed(2));
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([copiedEvent(good, 5)]);
    const letters = await drain(aws.sqs, to.deadLetterQueueUrl);
    expect(letters.map(({ body }) => body)).to.have.deep.members(["{", { ...good, kind: "other" }]);
    for (const { attributes } of letters) expect(attributes["reason"]).to.contain('"code":"INVALID_MESSAGE"');
  });

  it("answers with every message when the whole batch fails", async () => {
    // Prepare
    const exchange = newExchange();
    const messages = ["41", "42"].map((fileId) => copyMessage(exchange, bucket, { fileId }));
    for (const { file } of messages) await put(file.sourceKey, "hello");
    const topicArn = `${to.topicArn}-missing`;

    // Act
    const answer = await s3CopyHandler({ ...to, topicArn })(sqsEvent(...messages.map((body) => ({ body }))));

    // Assess
    expect(answer.batchItemFailures).to.have.deep.members(failed(0, 1).batchItemFailures);
  });

  it("tells all of it after a crash between the copy and the telling", async () => {
    // Prepare
    const message = copyMessage(newExchange(), bucket);
    await put(message.file.sourceKey, "hello");
    await aws.s3.send(
      new CopyObjectCommand({
        Bucket: bucket,
        Key: message.file.destinationKey,
        CopySource: `${bucket}/${message.file.sourceKey}`,
      }),
    );

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message, receives: 2 }));

    // Assess
    expect(answer).to.deep.equal(failed());
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([copiedEvent(message, 5)]);
    expect((await drain(aws.sqs, to.uploaderQueueUrl)).map(({ body }) => body)).to.deep.equal([
      uploaderMessageOf(message, 5),
    ]);
  });
});
