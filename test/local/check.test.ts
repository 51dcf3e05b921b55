import { CopyObjectCommand, DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { sharedCloud } from "../support/cloud.ts";
import { checkKit } from "./check-kit.ts";
import { shift } from "./copy-by-hand.ts";

describe("the outsider's check", function () {
  this.timeout(30_000);
  let kit: Awaited<ReturnType<typeof checkKit>>;
  before(async () => {
    kit = await checkKit(await sharedCloud());
  });
  after(() => kit.close());

  const spoil = (make: string, mend: string) =>
    kit.problemsWhile(
      () => kit.run(make),
      () => kit.run(mend),
    );
  async function firstFile() {
    const [file] = await kit.run(`SELECT id, s3_key AS \`key\`, document_id AS documentId FROM
      ${kit.target}.document_variants WHERE id > ${shift} AND role = 'document' ORDER BY id LIMIT 1`);
    const sourceId = Number(file!["id"]) - shift;
    const [original] = await kit.run(`SELECT s3_key FROM ${kit.source}.document_variants WHERE id = ${sourceId}`);
    return { id: sourceId, key: String(file!["key"]), sourceKey: String(original!["s3_key"]) };
  }

  it("finds nothing wrong with an exchange that was done right, and counts what came", async () => {
    // Act
    const result = await kit.check();

    // Assess
    expect(result.problems).to.deep.equal([]);
    expect(result.leftovers).to.equal(0);
    const selected = kit.documentIds.length;
    expect(result.documents).to.deep.equal({ selected, copied: selected - 1, notFound: 1, failed: 0 });
    expect(result.rows["documents"]).to.deep.equal({ source: selected, target: selected });
    const [counted] = await kit.run(`SELECT COUNT(*) AS n FROM ${kit.target}.comments WHERE id > ${shift}`);
    expect(result.rows["comments"]).to.deep.equal({ source: Number(counted!["n"]), target: Number(counted!["n"]) });
  });

  describe("of files", () => {
    it("says which object is missing", async () => {
      const { id, key, sourceKey } = await firstFile();
      const Object = { Bucket: kit.caseBucket, Key: key };

      // Act
      const found = await kit.problemsWhile(
        () => kit.s3.send(new DeleteObjectCommand(Object)),
        () => restore(key, sourceKey),
      );

      // Assess
      const where = `there is no object at ${key}`;
      expect(found).to.deep.equal([`file ${id} (${sourceKey}) is missing in the destination: ${where}`]);
    });

    it("says which object differs by one byte", async () => {
      const { id, key, sourceKey } = await firstFile();
      const { Body } = await kit.s3.send(new GetObjectCommand({ Bucket: kit.caseBucket, Key: key }));
      const bytes = await Body!.transformToByteArray();
      bytes[bytes.length >> 1]! ^= 1;
      const changed = { Bucket: kit.caseBucket, Key: key, Body: bytes, ContentType: "application/pdf" };

      // Act
      const found = await kit.problemsWhile(
        () => kit.s3.send(new PutObjectCommand(changed)),
        () => restore(key, sourceKey),
      );

      // Assess
      expect(found).to.deep.equal([`file ${id} (${sourceKey}) differs from its source at ${key}`]);
    });

    it("says which object belongs to no file", async () => {
      const Key = `case_${kit.destinationCaseId}/processed-files/b1/stray #1 +%.pdf`;
      const stray = { Bucket: kit.caseBucket, Key };

      // Act
      const found = await kit.problemsWhile(
        () => kit.s3.send(new PutObjectCommand({ ...stray, Body: "stray" })),
        () => kit.s3.send(new DeleteObjectCommand(stray)),
      );

      // Assess
      expect(found).to.deep.equal([`destination object ${Key} belongs to no file`]);
    });

    it("says when an object has come that the source does not have", async () => {
      const [file] = await kit.run(`SELECT s.id, t.s3_key AS \`key\`, s.s3_key AS original
        FROM ${kit.target}.document_variants t JOIN ${kit.source}.document_variants s ON s.id + ${shift} = t.id
        WHERE s.document_id = ${kit.missingDocumentId} AND s.role = 'document'`);
      const invented = { Bucket: kit.caseBucket, Key: String(file!["key"]) };

      // Act
      const found = await kit.problemsWhile(
        () => kit.s3.send(new PutObjectCommand({ ...invented, Body: "%PDF-invented" })),
        () => kit.s3.send(new DeleteObjectCommand(invented)),
      );

      // Assess
      const text = `is missing in the source, yet there is an object at ${invented.Key}`;
      expect(found).to.deep.equal([`file ${String(file!["id"])} (${String(file!["original"])}) ${text}`]);
    });

    async function restore(Key: string, sourceKey: string) {
      const CopySource = `${kit.caseBucket}/${sourceKey.split("/").map(encodeURIComponent).join("/")}`;
      await kit.s3.send(new CopyObjectCommand({ Bucket: kit.caseBucket, Key, CopySource }));
    }
  });

  describe("of rows", () => {
    it("says which row has not arrived", async () => {
      const [stamp] = await kit.run(`SELECT * FROM ${kit.target}.bates_stamps WHERE id > ${shift} LIMIT 1`);
      const values = Object.values(stamp!).map((value) => JSON.stringify(value));

      // Act
      const found = await spoil(
        `DELETE FROM ${kit.target}.bates_stamps WHERE id = ${stamp!["id"]}`,
        `INSERT INTO ${kit.target}.bates_stamps VALUES (${values.join(",")})`,
      );

      // Assess
      const id = Number(stamp!["id"]);
      const missing = `has not arrived: bates_stamps ${id} is not in the destination`;
      expect(found).to.deep.equal([`bates_stamps ${id - shift} of the source ${missing}`]);
    });

    it("says which row came twice, or from a document that was not selected", async () => {
      // Act
      const found = await spoil(
        `INSERT INTO ${kit.target}.bates_stamps SELECT 900001, exhibit_id, position, prefix, number, stamp
           FROM ${kit.target}.bates_stamps WHERE id > ${shift} LIMIT 1`,
        `DELETE FROM ${kit.target}.bates_stamps WHERE id = 900001`,
      );

      // Assess
      const text = "came with no selected row: it is doubled, or belongs to something else";
      expect(found).to.deep.equal([`destination row bates_stamps 900001 ${text}`]);
    });

    it("says which column of which row is not what it was", async () => {
      const exhibit = `FROM ${kit.target}.exhibits WHERE id > ${shift} ORDER BY id LIMIT 1`;
      const [row] = await kit.run(`SELECT id, number, confidentiality_status AS status ${exhibit}`);

      // Act
      const found = await spoil(
        `UPDATE ${kit.target}.exhibits SET number = 3, confidentiality_status = 1, updated_at = updated_at WHERE id = ${row!["id"]}`,
        `UPDATE ${kit.target}.exhibits SET number = ${row!["number"]}, confidentiality_status = ${row!["status"]},
           updated_at = updated_at WHERE id = ${row!["id"]}`,
      );

      // Assess
      const arrived = `exhibits ${row!["number"]} of the source arrived as ${row!["id"]}`;
      expect(found).to.deep.equal([
        `${arrived} with number = "3", not "${row!["number"]}"`,
        `${arrived} with confidentiality_status = "1", not "${row!["status"]}"`,
      ]);
    });

    it("says which key leads nowhere", async () => {
      const [row] = await kit.run(`SELECT CAST(id AS CHAR) AS id, CAST(exhibit_id AS CHAR) AS exhibit
        FROM ${kit.target}.comments WHERE id > ${shift} ORDER BY id DESC LIMIT 1`);
      const [id, exhibit] = [String(row!["id"]), String(row!["exhibit"])];

      // Act
      const found = await spoil(
        `UPDATE ${kit.target}.comments SET exhibit_id = 777, updated_at = updated_at WHERE id = ${id}`,
        `UPDATE ${kit.target}.comments SET exhibit_id = ${exhibit}, updated_at = updated_at WHERE id = ${id}`,
      );

      // Assess
      const sourceId = Number(id) - shift;
      expect(found).to.deep.equal([
        `comments ${sourceId} of the source arrived as ${id} with exhibit_id = "777", not "${exhibit}"`,
        `destination: comments ${id} refers by exhibit_id to exhibits 777, which does not exist`,
      ]);
    });

    it("says which name is there twice although the destination had it", async () => {
      // Act
      const found = await spoil(
        `INSERT INTO ${kit.target}.folder_tags (id, parent_id, name) VALUES (900002, NULL, 'PRODUCTION')`,
        `DELETE FROM ${kit.target}.folder_tags WHERE id = 900002`,
      );

      // Assess
      expect(found).to.deep.equal([
        "folder_tags 1001 of the source is there 2 times in the destination: 1, 900002",
        "destination row folder_tags 900002 came with no selected row: it is doubled, or belongs to something else",
      ]);
    });

    it("says which of the destination's own rows was touched", async () => {
      // Act
      const found = await spoil(
        `UPDATE ${kit.target}.custodians SET email = 'new@example.com' WHERE id = 3`,
        `UPDATE ${kit.target}.custodians SET email = NULL WHERE id = 3`,
      );

      // Assess
      expect(found).to.deep.equal(["destination row custodians 3 has been changed"]);
    });

    it("says what was changed in the source", async () => {
      const Key = `case_${kit.sourceCaseId}/new.txt`;
      const added = { Bucket: kit.caseBucket, Key };

      // Act
      const found = await kit.problemsWhile(
        async () => {
          await kit.run(`UPDATE ${kit.source}.labels SET color = '#000001' WHERE name = 'Cold'`);
          await kit.s3.send(new PutObjectCommand({ ...added, Body: "new" }));
        },
        async () => {
          await kit.run(`UPDATE ${kit.source}.labels SET color = '#0000ff' WHERE name = 'Cold'`);
          await kit.s3.send(new DeleteObjectCommand(added));
        },
      );

      // Assess
      expect(found).to.deep.equal(["source row labels 1002 has been changed", `source object ${Key} is new`]);
    });
  });
});
