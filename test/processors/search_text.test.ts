import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import fc from "fast-check";
import type { Connection, RowDataPacket } from "mysql2/promise";
import type { ExchangeContext } from "../../contracts/ids.ts";
import type { SearchTextMessage } from "../../contracts/messages.ts";
import { pageTextKey, textPrefix } from "../../contracts/names.ts";
import { chunksOf } from "../../processors/search_text/index_rows.ts";
import { searchTextHandler } from "../../processors/search_text/process.ts";
import type { SearchTextDependencies } from "../../processors/search_text/process.ts";
import { createDatabase } from "../../processors/shared/database.ts";
import type { Database } from "../../processors/shared/database.ts";
import { connect, drain, drainEvents, failed, newExchange, now, silent, sqsEvent, startCloudFirst } from "./support.ts";
import type { Aws } from "./support.ts";

const caseSql = join(import.meta.dirname, "..", "..", "glue", "schema", "case.sql");

describe("the search text processor", () => {
  startCloudFirst();
  let aws: Aws;
  let admin: Connection;
  let schema: string;
  let user: string;
  let database: Database;
  let exchange: ExchangeContext;
  let to: SearchTextDependencies;
  let heard: string;

  before(async () => {
    aws = await connect();
    admin = await aws.cloud.database.admin();
    schema = `search_${randomUUID().replaceAll("-", "")}`;
    await admin.query(`CREATE DATABASE ${schema}`);
    await admin.query(`USE ${schema}`);
    const statements = (await readFile(caseSql, "utf8")).replaceAll(/^ *--.*$/gm, "").split(";");
    for (const statement of statements) if (statement.trim() !== "") await admin.query(statement);
    user = schema.slice(0, 30);
    const { host, port } = aws.cloud.database;
    const login = await aws.cloud.database.createUser(user, [`SELECT, INSERT, UPDATE ON ${schema}.*`]);
    database = createDatabase({ read: () => Promise.resolve({ host, port, ...login }), forget: () => undefined });
  });
  after(async () => {
    await database.end();
    await admin.query(`DROP DATABASE ${schema}`);
    await admin.query("DROP USER ?@'%'", [user]);
    await admin.end();
    aws.destroy();
  });
  beforeEach(async () => {
    await admin.query("DELETE FROM documents");
    await admin.query("INSERT INTO documents (id, file_name) VALUES (70, 'a.pdf')");
    await admin.query("INSERT INTO exhibits (id, document_id) VALUES (700, 70), (701, 70)");
    exchange = newExchange();
    const topic = await aws.topic();
    heard = topic.heard;
    to = {
      ...{ s3: aws.s3, sqs: aws.sqs, sns: aws.sns, database, log: silent, now: () => now },
      topicArn: topic.topicArn,
      caseSchema: schema,
      exchangeId: exchange.exchangeId,
      bulkRows: 3,
      feed: await aws.feed(),
    };
  });

  /** A message about a document whose page texts lie on S3. */
  const place = async (fileId: string, exhibitId: string, ...pages: string[]): Promise<SearchTextMessage> => {
    const prefix = textPrefix({ ...exchange, documentId: fileId });
    for (const [index, text] of pages.entries()) {
      const Body = Buffer.from(text);
      await aws.s3.send(
        new PutObjectCommand({ Bucket: aws.cloud.caseBucket, Key: pageTextKey(prefix, index + 1), Body }),
      );
    }
    return {
      kind: "search_text",
      exchange,
      documentId: "7",
      destinationDocumentId: "70",
      exhibitIds: [exhibitId],
      fileId,
      bucket: aws.cloud.caseBucket,
      texts: [{ exhibitId, prefix, pages: pages.length }],
    };
  };
  const found = async (word: string) => {
    const query = "SELECT exhibit_id, position FROM exhibit_texts WHERE MATCH (content) AGAINST (?) ORDER BY 1, 2";
    const [rows] = await admin.query<RowDataPacket[]>(query, [word]);
    return rows.map((row) => [row["exhibit_id"], row["position"]] as unknown);
  };
  const run = (...bodies: unknown[]) => searchTextHandler(to)(sqsEvent(...bodies.map((body) => ({ body }))));
  const codes = async () =>
    (await drain(aws.sqs, to.feed.deadLetterQueueUrl)).map(
      ({ attributes }) => (JSON.parse(attributes["reason"]!) as { code: string }).code,
    );

  it("makes the pages of documents found by their words, in bulk, and tells of each document", async () => {
    // Prepare
    const one = await place("11", "700", "the quick xylophone", "second Größe page", "", "契約 fourth");
    const other = await place("12", "701", "a xylophone too");

    // Act
    const answer = await run(one, other);

    // Assess
    expect(answer).to.deep.equal(failed());
    expect(await found("xylophone")).to.deep.equal([
      [700, 1],
      [701, 1],
    ]);
    expect(await found("größe")).to.deep.equal([[700, 2]]);
    expect(await found("zebra")).to.deep.equal([]);
    const events = await drainEvents(aws.sqs, heard);
    expect(events.map(({ eventId, eventType, status, detail }) => [eventId, eventType, status, detail])).to.deep.equal(
      [
        ["11", 4],
        ["12", 1],
      ].map(([fileId, pages]) => [
        `${exchange.exchangeId}:search:${fileId}:done`,
        "DOCUMENT_INDEXED",
        "SUCCESS",
        { fileId, role: "document", destinationDocumentId: "70", pages },
      ]),
    );
  });

  it("indexes once and tells again when a message comes twice, and takes the newer text", async () => {
    // Prepare
    const message = await place("11", "700", "before words");
    await run(message, message);
    await place("11", "700", "after words");

    // Act
    await run(message);

    // Assess
    expect([await found("before"), await found("after")]).to.deep.equal([[], [[700, 1]]]);
    const ids = (await drainEvents(aws.sqs, heard)).map(({ eventId }) => eventId);
    expect(ids).to.deep.equal(Array(3).fill(`${exchange.exchangeId}:search:11:done`));
  });

  it("answers for each message of a batch by itself", async () => {
    // Prepare
    const good = await place("11", "700", "good words");
    const orphan = await place("12", "999", "nobody's words");
    const missing = {
      ...(await place("13", "700")),
      texts: [{ exhibitId: "700", prefix: textPrefix({ ...exchange, documentId: "13" }), pages: 1 }],
    };
    const foreign = { ...good, exchange: newExchange() };
    const outside = { ...good, texts: [{ exhibitId: "700", prefix: "case_1/", pages: 1 }] };

    // Act
    const answer = await run(good, orphan, missing, foreign, outside, "no json");

    // Assess
    expect(answer).to.deep.equal(failed(1));
    expect((await codes()).sort()).to.deep.equal([
      "FOREIGN_MESSAGE",
      "FOREIGN_MESSAGE",
      "INVALID_MESSAGE",
      "NO_SUCH_KEY",
    ]);
    expect(await found("good")).to.deep.equal([[700, 1]]);
    expect((await drainEvents(aws.sqs, heard)).length).to.equal(1);
  });

  it("goes on when the server has killed its connections", async () => {
    // Prepare
    await run(await place("11", "700", "first words"));
    const [connections] = await admin.query<RowDataPacket[]>(
      "SELECT id FROM information_schema.processlist WHERE user = ?",
      [user],
    );
    for (const { id } of connections as { id: number }[]) await admin.query(`KILL CONNECTION ${id}`);

    // Act
    const answer = await run(await place("12", "701", "second words"));

    // Assess
    expect(connections).not.to.have.length(0);
    expect(answer).to.deep.equal(failed());
    expect(await found("second")).to.deep.equal([[701, 1]]);
  });

  it("cuts rows into statements of at most so many, in one order, and loses none", () => {
    const row = fc.record({
      exhibitId: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(String),
      position: fc.integer({ min: 1, max: 9 }),
      content: fc.string(),
    });
    fc.assert(
      fc.property(fc.array(row), fc.integer({ min: 1, max: 5 }), (rows, bulkRows) => {
        const chunks = chunksOf(rows, bulkRows);
        expect(chunks.every((chunk) => chunk.length > 0 && chunk.length <= bulkRows)).to.equal(true);
        expect(chunks.flat()).to.have.deep.members(rows);
        expect(chunks).to.deep.equal(chunksOf(rows, bulkRows));
      }),
    );
  });

  it("keeps a statement below what a server takes", () => {
    const rows = Array.from({ length: 5 }, (_, index) => ({
      exhibitId: "1",
      position: index + 1,
      content: "x".repeat(1.5e6),
    }));
    expect(chunksOf(rows, 100).map(({ length }) => length)).to.deep.equal([2, 2, 1]);
  });
});
