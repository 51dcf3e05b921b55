import { createHash, randomInt, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import fc from "fast-check";
import type { Connection } from "mysql2/promise";
import { danglingKeys, readCase, select } from "../../local/check/case-rows.ts";
import { readObject } from "../../local/check/objects.ts";
import { objectKey, tables, type CaseBuilder } from "../../local/samples/builder.ts";
import { destinationCase } from "../../local/samples/destination-case.ts";
import { makeSampleCases } from "../../local/samples/make.ts";
import { oddNames, outsider } from "../../local/samples/names.ts";
import { sourceCase, type SourceKnowledge } from "../../local/samples/source-case.ts";
import { countPages } from "../../local/uploader/pdf.ts";
import type { Cloud } from "../../local/cloud/cloud.ts";
import { sharedCloud } from "../support/cloud.ts";

const moment = new Date("2026-04-05T06:07:08Z");

/** One hash of everything in a case: each row, each object. */
function digest({ rows, objects }: CaseBuilder): string {
  const hash = createHash("sha256");
  const plain = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);
  hash.update(JSON.stringify([...rows], plain));
  for (const { key, body, contentType } of objects.values()) hash.update(key).update(contentType).update(body);
  return hash.digest("hex");
}

describe("the sample cases", function () {
  this.timeout(30_000);

  describe("as they are made", () => {
    let builder: CaseBuilder;
    let knowledge: SourceKnowledge;
    before(async () => {
      ({ builder, knowledge } = await sourceCase(7, 1, moment));
    });

    it("are equal to the byte for equal seeds, and differ for another", async () => {
      // Act
      const [again, other] = [await sourceCase(7, 1, moment), await sourceCase(7, 2, moment)];
      const destinations = [await destinationCase(9, 1, moment), await destinationCase(9, 1, moment)];

      // Assess
      expect(digest(again.builder)).to.equal(digest(builder));
      expect(again.knowledge).to.deep.equal(knowledge);
      expect(digest(other.builder)).to.not.equal(digest(builder));
      expect(digest(destinations[0]!)).to.equal(digest(destinations[1]!));
    });

    it("have rows in every table, at least 60 hot documents and about 20 others", () => {
      // Assess
      expect(tables.filter((table) => !builder.of(table).length)).to.deep.equal([]);
      expect(knowledge.hot.documentIds.length).to.be.within(60, 70);
      expect(knowledge.documentIds.length - knowledge.hot.documentIds.length).to.be.within(18, 25);
      expect(knowledge.folder.documentIds.length).to.be.within(10, knowledge.documentIds.length - 10);
    });

    it("have every odd file name among the hot documents, and hot families", () => {
      // Act
      const hot = new Set(knowledge.hot.documentIds);
      const documents = builder.of("documents").filter(({ id }) => hot.has(String(id)));
      const names = new Set(documents.map((row) => row["file_name"]));
      const orphans = documents.filter(({ parent_id: parent }) => parent !== null && !hot.has(String(parent)));
      const children = documents.filter(({ parent_id: parent }) => hot.has(String(parent)));

      // Assess
      expect(oddNames.filter((name) => !names.has(name))).to.deep.equal([]);
      expect(orphans).to.have.length(1);
      expect(children.length).to.be.above(4);
    });

    it("have somebody whose documents are not hot, so that the name must not travel", () => {
      // Act
      const mallory = builder.of("custodians").find(({ name }) => name === outsider.name)?.["id"];
      const exhibits = builder.of("custodian_exhibits").filter((row) => row["custodian_id"] === mallory);
      const hot = new Set(knowledge.hot.documentIds);
      const documents = exhibits.map(
        (row) => builder.of("exhibits")[Number(row["exhibit_id"]) - 1001]?.["document_id"],
      );

      // Assess
      expect(documents.length).to.be.above(10);
      expect(documents.filter((document) => hot.has(String(document)))).to.deep.equal([]);
    });

    it("have PDFs that open, with as many pages as their rows say", async () => {
      // Act
      const files = builder.of("document_variants").filter(({ role }) => role === "document");
      const stored = files.filter((file) => builder.objects.has(String(file["s3_key"])));
      const counted = await Promise.all(
        stored.map((file) => countPages(builder.objects.get(String(file["s3_key"]))!.body)),
      );

      // Assess
      const said = stored.map((file) => builder.of("documents")[Number(file["document_id"]) - 1001]?.["page_count"]);
      expect(counted).to.deep.equal(said);
      expect(Math.max(...counted.map(Number))).to.equal(4);
    });

    it("lack exactly one object, a PDF of a hot document", () => {
      // Act
      const absent = builder.of("document_variants").filter((file) => !builder.objects.has(String(file["s3_key"])));

      // Assess
      const found = absent.map((file) => [String(file["document_id"]), file["role"]]);
      expect(found).to.deep.equal([[knowledge.missingDocumentId, "document"]]);
      expect(knowledge.hot.documentIds).to.include(knowledge.missingDocumentId);
    });
  });

  describe("in the cloud", () => {
    const [sourceCaseId, destinationCaseId] = [randomInt(3_000_000, 4_000_000), randomInt(4_000_000, 5_000_000)];
    const caseSchemaPrefix = `sample_${randomUUID().slice(0, 8)}`;
    const [source, target] = [`${caseSchemaPrefix}_${sourceCaseId}`, `${caseSchemaPrefix}_${destinationCaseId}`];
    let cloud: Cloud;
    let connection: Connection;
    let s3: S3Client;
    let knowledge: SourceKnowledge;

    before(async () => {
      cloud = await sharedCloud();
      connection = await cloud.database.admin();
      s3 = new S3Client(cloud.client("platform"));
      const store = { database: cloud.database, s3, caseBucket: cloud.caseBucket, caseSchemaPrefix };
      knowledge = await makeSampleCases({ ...store, sourceCaseId, destinationCaseId, now: moment });
    });
    after(async () => {
      for (const schema of [source, target]) await connection.query("DROP DATABASE ??", [schema]);
      await connection.end();
      s3.destroy();
    });

    it("have each file where its row says, with the bytes that its row says", async () => {
      // Act
      const files = await select(connection, "SELECT * FROM ??.document_variants WHERE sha256 IS NOT NULL", [source]);
      const wrong: string[] = [];
      for (const file of files) {
        const object = await readObject(s3, cloud.caseBucket, String(file["s3_key"]));
        const same = object?.sha256 === file["sha256"] && String(object?.size) === file["size"];
        if (!same)
          wrong.push(`${String(file["document_id"])} ${String(file["role"])} ${object ? "differs" : "is missing"}`);
      }

      // Assess
      expect(wrong).to.deep.equal([`${knowledge.missingDocumentId} document is missing`]);
    });

    it("have no object that no row names", async () => {
      // Act
      const named = await select(connection, "SELECT DISTINCT s3_key FROM ??.document_variants", [source]);
      const keys: string[] = [];
      const listing = { Bucket: cloud.caseBucket, Prefix: `case_${sourceCaseId}/` };
      for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, listing)) {
        keys.push(...Contents.map(({ Key }) => String(Key)));
      }

      // Assess
      const names = new Set(named.map((row) => row["s3_key"]));
      expect(keys.filter((key) => !names.has(key))).to.deep.equal([]);
    });

    it("have no key that leads nowhere", async () => {
      // Act
      const both = [await readCase(connection, source), await readCase(connection, target)];

      // Assess
      const script = await readFile(new URL("../../glue/schema/case.sql", import.meta.url), "utf8");
      const declared = script.match(/FOREIGN KEY/g)?.length;
      expect(both.map(danglingKeys)).to.deep.equal([[], []]);
      expect(both.map(({ foreignKeys }) => foreignKeys.length)).to.deep.equal([declared, declared]);
    });

    it("select by label and by folder what the server selects", async () => {
      // Act
      const byLabel = await select(
        connection,
        `SELECT DISTINCT e.document_id AS id FROM ??.exhibits e JOIN ??.exhibit_labels l ON l.exhibit_id = e.id
          WHERE l.label_id = ? ORDER BY 1`,
        [source, source, knowledge.hot.labelId],
      );
      const byFolder = await select(
        connection,
        `WITH RECURSIVE below AS (SELECT id FROM ??.folder_tags WHERE id = ?
           UNION ALL SELECT f.id FROM ??.folder_tags f JOIN below b ON f.parent_id = b.id)
         SELECT DISTINCT e.document_id AS id FROM ??.exhibits e JOIN ??.folder_taggings t ON t.exhibit_id = e.id
          WHERE t.folder_tag_id IN (SELECT id FROM below) ORDER BY 1`,
        [source, knowledge.folder.folderTagId, source, source, source],
      );

      // Assess
      expect(byLabel.map(({ id }) => id)).to.deep.equal(knowledge.hot.documentIds);
      expect(byFolder.map(({ id }) => id)).to.deep.equal(knowledge.folder.documentIds);
    });

    it("share names that differ in case and accents, and one code that has another bit", async () => {
      // Act
      const shared = async (table: string) =>
        select(
          connection,
          `SELECT s.name AS source, t.name AS target FROM ??.${table} s JOIN ??.${table} t ON s.name = t.name ORDER BY s.id`,
          [source, target],
        );
      const codes = await select(
        connection,
        `SELECT s.bit_index AS source, t.bit_index AS target FROM ??.confidentiality_codes s
           JOIN ??.confidentiality_codes t ON s.name = t.name`,
        [source, target],
      );

      // Assess
      expect(await shared("custodians")).to.deep.equal([
        { source: "José García", target: "jose garcia" },
        { source: "Ada Lovelace", target: "ADA LOVELACE" },
        { source: "王小明", target: "王小明" },
      ]);
      expect(await shared("labels")).to.deep.equal([
        { source: "Hot", target: "HOT" },
        { source: "Größe", target: "grosse" },
      ]);
      expect(codes).to.deep.equal([{ source: "0", target: "7" }]);
    });
  });

  it("keep files under keys that S3 takes, whatever their names", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 1100 }), fc.integer({ min: 1 }), (name, documentId) => {
        // Act
        const key = objectKey(7, documentId, "native", name);

        // Assess
        const prefix = `case_7/files/${documentId}/native/`;
        expect(key.startsWith(prefix)).to.equal(true);
        expect(Buffer.byteLength(key)).to.be.at.most(1024);
        expect(/[\p{Cc}\p{Cs}]/u.test(key)).to.equal(false);
        expect([name, "file"]).to.include(key.slice(prefix.length));
      }),
    );
  });
});
