import { GetObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { engineDocumentId } from "../../contracts/annotations.ts";
import type { ExchangeEvent } from "../../contracts/events.ts";
import type { ExchangeContext } from "../../contracts/ids.ts";
import { reOcrHandler } from "../../processors/re_ocr/process.ts";
import type { ReOcrDependencies } from "../../processors/re_ocr/process.ts";
import { makePdf, openEngine } from "./engine_bench.ts";
import type { EngineBench } from "./engine_bench.ts";
import {
  connect,
  drain,
  drainEvents,
  failed,
  newExchange,
  now,
  required,
  silent,
  sqsEvent,
  startCloudFirst,
} from "./support.ts";
import type { Aws } from "./support.ts";

describe("the re-OCR processor", () => {
  startCloudFirst();
  let aws: Aws;
  let engine: EngineBench;
  let exchange: ExchangeContext;
  let to: ReOcrDependencies;
  let heard: string;

  beforeEach(async () => {
    [aws, engine, exchange] = [await connect(), await openEngine(), newExchange()];
    const topic = await aws.topic();
    heard = topic.heard;
    to = {
      ...{ s3: aws.s3, sqs: aws.sqs, sns: aws.sns, engine: engine.engine },
      log: silent,
      now: () => now,
      topicArn: topic.topicArn,
      searchQueueUrl: await aws.queue(),
      feed: await aws.feed(),
      bucket: aws.cloud.caseBucket,
      exchangeId: exchange.exchangeId,
    };
  });
  afterEach(async () => {
    aws.destroy();
    await engine.stop();
  });

  const uploaded = (exhibitIds: string[], more: Partial<ExchangeEvent> = {}): ExchangeEvent => ({
    eventId: `${exchange.exchangeId}:upload:11:done`,
    source: "documentuploader",
    eventType: "DOCUMENT_UPLOADED",
    status: "SUCCESS",
    jobId: exchange.exchangeId,
    caseId: exchange.caseId,
    sourceCaseId: exchange.sourceCaseId,
    batchId: exchange.batchId,
    documentId: "7",
    exhibitIds,
    timestamp: now.toISOString(),
    detail: { fileId: "11", role: "document", destinationDocumentId: "70", pages: 2 },
    ...more,
  });
  const load = async (exhibitId: string, ...lines: string[]) => {
    const documentId = engineDocumentId({ ...exchange, documentId: "70", exhibitId });
    await engine.engine.upload(documentId, await makePdf(lines.map((line) => ({ lines: [line] }))));
    await engine.requests();
  };
  const read = async (key: string) => {
    const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: aws.cloud.caseBucket, Key: key }));
    return required(Body).transformToString();
  };
  const run = (...bodies: unknown[]) => reOcrHandler(to)(sqsEvent(...bodies.map((body) => ({ body }))));
  const prefix = () => `case_${exchange.caseId}/processed-files/b1/txt/70/`;
  const searches = async () => (await drain(aws.sqs, to.searchQueueUrl)).map(({ body }) => body);
  const searchMessage = (texts: unknown[]) => ({
    kind: "search_text",
    exchange,
    documentId: "7",
    destinationDocumentId: "70",
    exhibitIds: texts.map((text) => (text as { exhibitId: string }).exhibitId),
    fileId: "11",
    bucket: aws.cloud.caseBucket,
    texts,
  });

  it("writes the text of each page, tells of it and hands it on, with one call to Document Engine", async () => {
    // Prepare
    await load("700", "page one", "page two");

    // Act
    const answer = await run(uploaded(["700"]));

    // Assess
    expect(answer).to.deep.equal(failed());
    const texts = [1, 2].map((position) => read(`${prefix()}attachments/${position}/content.txt`));
    expect(await Promise.all(texts)).to.deep.equal(["page one", "page two"]);
    expect((await engine.requests()).length).to.equal(1);
    const text = { exhibitId: "700", prefix: `${prefix()}attachments/`, pages: 2 };
    expect(await searches()).to.deep.equal([searchMessage([text])]);
    expect(await drainEvents(aws.sqs, heard)).to.deep.equal([
      uploaded(["700"], {
        eventId: `${exchange.exchangeId}:re_ocr:11:done`,
        source: "re_ocr_processor",
        eventType: "DOCUMENT_TEXT_EXTRACTED",
        detail: { fileId: "11", role: "document", destinationDocumentId: "70", texts: [text] },
      }),
    ]);
  });

  it("keeps the texts of several exhibits of one document apart, in whatever order they are named", async () => {
    // Prepare
    await load("700", "first");
    await load("1000", "second");

    // Act
    await run(uploaded(["1000", "700"]));

    // Assess
    expect(await read(`${prefix()}attachments/1/content.txt`)).to.equal("first");
    expect(await read(`${prefix()}exhibits/1000/attachments/1/content.txt`)).to.equal("second");
  });

  it("says and hands on the same when the event comes twice", async () => {
    // Prepare
    await load("700", "page one");

    // Act
    await run(uploaded(["700"]), uploaded(["700"]));

    // Assess
    const [first, second, ...others] = await drainEvents(aws.sqs, heard);
    expect([second, others]).to.deep.equal([first, []]);
    const messages = await searches();
    expect(messages).to.deep.equal([messages[0], messages[0]]);
  });

  it("tells that what was not uploaded has no text", async () => {
    // Prepare
    const error = { code: "REFUSED", message: "no" };
    const event = uploaded(["700"], { status: "ERROR", detail: { fileId: "11", role: "document", error } });

    // Act
    expect(await run(event)).to.deep.equal(failed());

    // Assess
    const [told] = await drainEvents(aws.sqs, heard);
    expect(told).to.deep.include({ eventType: "DOCUMENT_TEXT_EXTRACTED", status: "ERROR" });
    expect(told!.detail["error"]).to.have.property("code", "NOT_UPLOADED");
    expect(await searches()).to.deep.equal([]);
  });

  it("leaves uploads of another exchange into the same case and batch alone", async () => {
    expect(await run(uploaded(["700"], { jobId: newExchange().exchangeId }))).to.deep.equal(failed());
    expect([await drainEvents(aws.sqs, heard), await searches()]).to.deep.equal([[], []]);
  });

  it("answers for each event of a batch by itself", async () => {
    // Prepare
    await load("700", "page one");
    await load("701", "page one");
    await engine.fail({ path: "_701/pages/text$", fault: { kind: "unavailable" } });
    const nameless = uploaded(["700"], { detail: { fileId: "12", role: "document" } });

    // Act
    const answer = await run(uploaded(["701"]), uploaded(["700"]), nameless, uploaded(["999"]));

    // Assess
    expect(answer).to.deep.equal(failed(0));
    const letters = await drain(aws.sqs, to.feed.deadLetterQueueUrl);
    const codes = letters.map(({ attributes }) => (JSON.parse(attributes["reason"]!) as { code: string }).code);
    expect(codes.sort()).to.deep.equal(["DOCUMENT_ENGINE_NOT_FOUND", "INVALID_MESSAGE"]);
    expect(await searches()).to.have.length(1);
  });
});
