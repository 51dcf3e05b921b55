import { createHash } from "node:crypto";
import { CopyObjectCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { s3CopyHandler } from "../../processors/s3_copy/process.ts";
import { copiedEvent, openCopyBench, sha256, uploaderMessageOf } from "./copy_bench.ts";
import type { CopyBench } from "./copy_bench.ts";
import { copyMessage, drain, drainEvents, failed, newExchange, sqsEvent, startCloudFirst } from "./support.ts";

describe("the S3 copy processor, when something goes wrong,", () => {
  startCloudFirst();
  let bench: CopyBench;

  beforeEach(async () => {
    bench = await openCopyBench();
  });
  afterEach(() => {
    bench.aws.destroy();
  });

  it("replaces an object at the destination that is not a copy of the source", async () => {
    // Prepare
    const { to, bucket, put, read } = bench;
    const message = copyMessage(newExchange(), bucket);
    await put(message.file.sourceKey, "hello");
    await put(message.file.destinationKey, "other");

    // Act
    await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(await read(message.file.destinationKey)).to.equal("hello");
  });

  it("tells that a document was not found when it goes while it is being copied", async () => {
    // Prepare
    const { aws, to, heard, bucket, put, beforeCommand } = bench;
    const message = copyMessage(newExchange(), bucket);
    await put(message.file.sourceKey, "hello");
    beforeCommand("CopyObjectCommand", (input) => {
      input["CopySource"] = `${bucket}/case_${message.exchange.sourceCaseId}/gone`;
    });

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed());
    const events = await drainEvents(aws.sqs, heard);
    expect(events.map(({ eventType }) => eventType)).to.deep.equal(["DOCUMENT_NOT_FOUND"]);
  });

  it("leaves no upload behind when a part cannot be copied, and lets the message come again", async () => {
    // Prepare
    const { aws, to, bucket, put, exists, beforeCommand } = bench;
    const content = "0123456789".repeat(130_000);
    const message = copyMessage(newExchange(), bucket, { size: content.length });
    await put(message.file.sourceKey, content);
    beforeCommand("UploadPartCopyCommand", ({ PartNumber }) => {
      if (PartNumber === 2) throw Object.assign(new Error("please slow down"), { name: "SlowDown" });
    });

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
    const { aws, to, heard, bucket, putWithoutChecksum } = bench;
    const message = copyMessage(newExchange(), bucket, { sha256: sha256("other") });
    await putWithoutChecksum(message.file.sourceKey, "hello");

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
    const [letter] = await drain(aws.sqs, to.feed.deadLetterQueueUrl);
    expect(letter).to.deep.equal({ body: message, attributes: { reason: JSON.stringify(reason) } });
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([]);
    expect(await drain(aws.sqs, to.uploaderQueueUrl)).to.deep.equal([]);
  });

  it("notices that the object at the destination is not what was copied", async () => {
    // Prepare
    const { aws, to, heard, bucket, put, afterCommand } = bench;
    const message = copyMessage(newExchange(), bucket);
    await put(message.file.sourceKey, "hello");
    afterCommand("CopyObjectCommand", () => put(message.file.destinationKey, "hellO"));

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed(0));
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([]);
  });

  it("lets a message come again when the source changes while it is being copied", async () => {
    // Prepare
    const { to, bucket, put, exists, beforeCommand } = bench;
    const message = copyMessage(newExchange(), bucket);
    await put(message.file.sourceKey, "hello");
    beforeCommand("CopyObjectCommand", () => put(message.file.sourceKey, "changed"));

    // Act
    const answer = await s3CopyHandler(to)(sqsEvent({ body: message }));

    // Assess
    expect(answer).to.deep.equal(failed(0));
    expect(await exists(message.file.destinationKey)).to.equal(false);
  });

  it("never touches another case than the two of its exchange", async () => {
    // Prepare
    const { aws, to, bucket, put, exists } = bench;
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
    const letters = await drain(aws.sqs, to.feed.deadLetterQueueUrl);
    const codes = letters.map(({ attributes }) => (JSON.parse(attributes["reason"] ?? "{}") as { code: string }).code);
    expect(codes).to.deep.equal(["INVALID_KEY", "INVALID_KEY", "INVALID_KEY"]);
  });

  it("works on the good messages of a batch when others are unreadable or fail", async () => {
    // Prepare
    const { aws, to, heard, bucket, put, putWithoutChecksum } = bench;
    const exchange = newExchange();
    const good = copyMessage(exchange, bucket, { fileId: "31" });
    const bad = copyMessage(exchange, bucket, { fileId: "32", sha256: sha256("other") });
    await put(good.file.sourceKey, "hello");
    await putWithoutChecksum(bad.file.sourceKey, "hello");

    // Act
    const answer = await s3CopyHandler(to)(
      sqsEvent({ body: "{" }, { body: good }, { body: bad }, { body: { ...good, kind: "other" } }),
    );

    // Assess
    expect(answer).to.deep.equal(failed(2));
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([copiedEvent(good, 5)]);
    const letters = await drain(aws.sqs, to.feed.deadLetterQueueUrl);
    expect(letters.map(({ body }) => body)).to.have.deep.members(["{", { ...good, kind: "other" }]);
    for (const { attributes } of letters) expect(attributes["reason"]).to.contain('"code":"INVALID_MESSAGE"');
  });

  it("answers with every message when the whole batch fails", async () => {
    // Prepare
    const { to, bucket, put } = bench;
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
    const { aws, to, heard, bucket, put } = bench;
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
