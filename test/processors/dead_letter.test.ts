import { expect } from "chai";
import type { DocUploaderMessage } from "../../contracts/messages.ts";
import { deadLetterHandler } from "../../processors/dead_letter/process.ts";
import {
  connect,
  copyMessage,
  drainEvents,
  failed,
  newExchange,
  now,
  recordingLog,
  silent,
  sqsEvent,
  startCloudFirst,
} from "./support.ts";
import type { Aws } from "./support.ts";

describe("the dead letter processor", () => {
  startCloudFirst();
  let aws: Aws;
  let heard: string;
  let to: Parameters<typeof deadLetterHandler>[0];

  beforeEach(async () => {
    aws = await connect();
    const topic = await aws.topic();
    heard = topic.heard;
    to = { sns: aws.sns, log: silent, now: () => now, topicArn: topic.topicArn };
  });
  afterEach(() => {
    aws.destroy();
  });

  const exchange = newExchange();
  const copy = copyMessage(exchange, "case-files");
  const upload: DocUploaderMessage = {
    kind: "doc_uploader",
    exchange,
    documentId: "7",
    destinationDocumentId: "70",
    exhibitIds: ["700"],
    bucket: "case-files",
    key: copy.file.destinationKey,
    fileId: "11",
    size: 5,
  };
  const { file, ...about } = copy;
  const preUpload = {
    ...about,
    ...{ kind: "pre_uploader", exhibits: [], sourceBatchId: null, file, annotations: { redactionsAs: "brand_in" } },
  };
  const search = {
    ...{ kind: "search_text", exchange, documentId: "7", destinationDocumentId: "70", exhibitIds: ["700"] },
    ...{ fileId: "11", bucket: "case-files", texts: [] },
  };
  const uploaded = {
    ...{ eventId: "u", source: "documentuploader", eventType: "DOCUMENT_UPLOADED", status: "SUCCESS" },
    ...{ jobId: exchange.exchangeId, caseId: exchange.caseId, sourceCaseId: exchange.sourceCaseId, batchId: "b1" },
    ...{ documentId: "7", exhibitIds: ["700"], timestamp: now.toISOString() },
    detail: { fileId: "11", role: "document" },
  };
  const reason = { code: "CHECKSUM_MISMATCH", message: "the copy is not true" };
  const attributes = { reason: { DataType: "String", StringValue: JSON.stringify(reason) } };
  const unknown = {
    code: "RECEIVE_COUNT_EXCEEDED",
    message: "the last receive ended without an answer; see the log of the processor",
  };
  const envelope = {
    source: "dead_letter_processor",
    status: "ERROR",
    jobId: exchange.exchangeId,
    caseId: exchange.caseId,
    sourceCaseId: exchange.sourceCaseId,
    batchId: "b1",
    documentId: "7",
    timestamp: now.toISOString(),
  };
  const copyFailed = (error: object) => ({
    ...envelope,
    eventId: `${exchange.exchangeId}:copy:11:failed`,
    eventType: "S3_DOC_COPIED",
    exhibitIds: ["700", "701"],
    detail: {
      fileId: "11",
      role: "document",
      sourceKey: copy.file.sourceKey,
      destinationKey: copy.file.destinationKey,
      error,
    },
  });
  const uploadFailed = (error: object) => ({
    ...envelope,
    eventId: `${exchange.exchangeId}:upload:11:failed`,
    eventType: "DOCUMENT_UPLOADED",
    exhibitIds: ["700"],
    detail: { fileId: "11", role: "document", destinationKey: upload.key, error },
  });

  it("tells that a file was not copied, with the reason that the processor gave", async () => {
    // Act
    const answer = await deadLetterHandler(to)(sqsEvent({ body: copy, attributes }));

    // Assess
    expect(answer).to.deep.equal(failed());
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([copyFailed(reason)]);
  });

  it("tells that the receives are used up when there is no reason", async () => {
    // Prepare
    const malformed = { reason: { DataType: "String", StringValue: "{" } };

    // Act
    await deadLetterHandler(to)(sqsEvent({ body: copy }, { body: upload, attributes: malformed }));

    // Assess
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([copyFailed(unknown), uploadFailed(unknown)]);
  });

  it("tells that a document was not uploaded", async () => {
    // Act
    await deadLetterHandler(to)(sqsEvent({ body: upload, attributes }));

    // Assess
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([uploadFailed(reason)]);
  });

  it("tells the same fact under the same id when a letter comes twice", async () => {
    // Act
    const answers = [
      await deadLetterHandler(to)(sqsEvent({ body: copy, attributes })),
      await deadLetterHandler(to)(sqsEvent({ body: copy, attributes, receives: 2 })),
    ];

    // Assess
    expect(answers).to.deep.equal([failed(), failed()]);
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([copyFailed(reason), copyFailed(reason)]);
  });

  it("keeps a letter that it cannot read, names it in the log and tells of the others", async () => {
    // Prepare
    const { log, lines } = recordingLog();

    // Act
    const answer = await deadLetterHandler({ ...to, log })(
      sqsEvent({ body: "what is this?", receives: 99 }, { body: copy, attributes }),
    );

    // Assess
    expect(answer).to.deep.equal(failed(0));
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([copyFailed(reason)]);
    const line = lines.find(({ code }) => code === "INVALID_MESSAGE");
    expect(line).to.include({ messageId: "message-0", receives: 99, bodyLength: 13 });
  });

  const stages: [string, object, string, string][] = [
    ["a document that could not be pre-processed", preUpload, "PRE_UPLOADER_FINISHED", "pre_upload"],
    ["a text that could not be extracted", uploaded, "DOCUMENT_TEXT_EXTRACTED", "re_ocr"],
    ["a document that could not be indexed", search, "DOCUMENT_INDEXED", "search"],
  ];
  for (const [what, body, eventType, stage] of stages) {
    it(`tells of ${what}`, async () => {
      // Act
      const answer = await deadLetterHandler(to)(sqsEvent({ body, attributes }));

      // Assess
      expect(answer).to.deep.equal(failed());
      const [told] = await drainEvents(aws.sqs, heard);
      const eventId = `${exchange.exchangeId}:${stage}:11:failed`;
      expect(told).to.deep.include({
        eventId,
        eventType,
        status: "ERROR",
        jobId: exchange.exchangeId,
        documentId: "7",
      });
      expect(told!.detail).to.deep.include({ fileId: "11", role: "document", error: reason });
    });
  }

  it("keeps an event that no processor is fed with", async () => {
    const answer = await deadLetterHandler(to)(sqsEvent({ body: { ...uploaded, eventType: "DOCUMENT_COPIED" } }));
    expect(answer).to.deep.equal(failed(0));
  });
});
