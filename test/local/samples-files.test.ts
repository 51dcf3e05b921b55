import { createHash, randomBytes, randomInt, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { execa } from "execa";
import type { Connection } from "mysql2/promise";
import { InvalidInputError } from "../../contracts/errors.ts";
import { select } from "../../local/check/case-rows.ts";
import { readObject } from "../../local/check/objects.ts";
import { makePdf } from "../../local/samples/content/pdf.ts";
import { makeCaseFromFiles } from "../../local/samples/from-files.ts";
import { uploadFile } from "../../local/samples/upload-file.ts";
import type { Cloud } from "../../local/cloud/cloud.ts";
import { sharedCloud } from "../support/cloud.ts";

const moment = new Date("2026-04-05T06:07:08Z");

describe("a case of the user's own files", function () {
  this.timeout(30_000);
  const caseSchemaPrefix = `files_${randomUUID().slice(0, 8)}`;
  const schemas: string[] = [];
  let cloud: Cloud;
  let connection: Connection;
  let s3: S3Client;
  let directory: string;

  before(async () => {
    cloud = await sharedCloud();
    connection = await cloud.database.admin();
    s3 = new S3Client(cloud.client("platform"));
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "files-"));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
    for (const schema of schemas.splice(0)) await connection.query("DROP DATABASE IF EXISTS ??", [schema]);
  });
  after(async () => {
    await connection.end();
    s3.destroy();
  });

  async function make(folder = directory) {
    const caseId = randomInt(5_000_000, 6_000_000);
    const schema = `${caseSchemaPrefix}_${caseId}`;
    schemas.push(schema);
    const store = { database: cloud.database, s3, caseBucket: cloud.caseBucket, caseSchemaPrefix };
    return { schema, knowledge: await makeCaseFromFiles({ ...store, caseId, directory: folder, now: moment }) };
  }
  const failure = async (work: Promise<unknown>): Promise<InvalidInputError> => {
    const error: unknown = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error instanceof InvalidInputError) return error;
    throw new Error("an InvalidInputError was expected", { cause: error });
  };
  const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");

  it("has a document for each file of any name and size, byte for byte", async () => {
    // Prepare
    const files = new Map<string | Buffer, Buffer>([
      ["plain.txt", Buffer.from("plain")],
      ["empty", Buffer.alloc(0)],
      ["large.bin", randomBytes(9 * 1024 * 1024)],
      ["100% #1 + more?.txt", Buffer.from("odd")],
      ["🎉.txt", Buffer.from("emoji")],
      ["line\nbreak.txt", Buffer.from("line break")],
      ["n".repeat(250), Buffer.from("long")],
      [Buffer.from("not utf-8: \xff.txt", "latin1"), Buffer.from("bytes")],
    ]);
    for (const [name, content] of files) {
      await writeFile(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name)]), content);
    }

    // Act
    const { schema, knowledge } = await make();

    // Assess
    const rows = await select(
      connection,
      "SELECT d.file_name AS name, v.s3_key AS `key`, v.role, v.size, v.sha256 FROM ??.documents d JOIN ??.document_variants v ON v.document_id = d.id",
      [schema, schema],
    );
    const expected = [...files].map(([name, content]) => ({
      name: name.toString(),
      role: "native",
      size: String(content.length),
      sha256: sha256(content),
    }));
    const byName = <T extends { name?: string | null | undefined }>(list: T[]) =>
      [...list].sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1));
    const said = rows.map(({ name, role, size, sha256: hash }) => ({ name, role, size, sha256: hash }));
    expect(byName(said)).to.deep.equal(byName(expected));
    const stored = await Promise.all(rows.map(({ key }) => readObject(s3, cloud.caseBucket, String(key))));
    expect(stored.map((object) => object?.sha256)).to.deep.equal(rows.map((row) => row["sha256"]));
    expect(knowledge.documentIds).to.have.length(files.size);
    expect(knowledge.notes).to.deep.equal([]);
    expect(knowledge.bytes).to.equal([...files.values()].reduce((sum, { length }) => sum + length, 0));
  });

  it("shows reviewers the PDFs that can be read, and says which cannot", async () => {
    // Prepare
    const pdf = await makePdf({ title: "t", author: "a", pages: ["a", "b"], created: moment, unicode: false });
    await writeFile(join(directory, "good.pdf"), pdf);
    await writeFile(join(directory, "good without extension"), pdf);
    await writeFile(join(directory, "damaged.pdf"), pdf.subarray(0, pdf.length / 2));
    await writeFile(join(directory, "text.pdf"), "no PDF at all");

    // Act
    const { schema, knowledge } = await make();

    // Assess
    const rows = await select(
      connection,
      `SELECT d.file_name AS name, d.page_count AS pages, GROUP_CONCAT(v.role ORDER BY v.role) AS roles
         FROM ??.documents d JOIN ??.document_variants v ON v.document_id = d.id GROUP BY d.id ORDER BY d.id`,
      [schema, schema],
    );
    expect(rows).to.deep.equal([
      { name: "damaged.pdf", pages: null, roles: "native" },
      { name: "good without extension", pages: "2", roles: "document,native" },
      { name: "good.pdf", pages: "2", roles: "document,native" },
      { name: "text.pdf", pages: null, roles: "native" },
    ]);
    expect(knowledge.notes.map((note) => note.split(":")[0])).to.deep.equal(["'damaged.pdf' travels as a native only"]);
  });

  it("has the folders as a tree of folder tags, and each file's path as a field", async () => {
    // Prepare
    await mkdir(join(directory, "a", "same"), { recursive: true });
    await mkdir(join(directory, "b", "same"), { recursive: true });
    for (const path of ["top.txt", "a/same/1.txt", "a/same/2.txt", "b/same/1.txt"]) {
      await writeFile(join(directory, path), path);
    }

    // Act
    const { schema } = await make();

    // Assess
    const rows = await select(
      connection,
      `SELECT f.value AS path, t.name AS folder, p.name AS above FROM ??.custom_field_values f
         LEFT JOIN ??.folder_taggings x ON x.exhibit_id = f.exhibit_id
         LEFT JOIN ??.folder_tags t ON t.id = x.folder_tag_id LEFT JOIN ??.folder_tags p ON p.id = t.parent_id
        ORDER BY f.id`,
      [schema, schema, schema, schema],
    );
    const folders = await select(connection, "SELECT COUNT(*) AS n FROM ??.folder_tags", [schema]);
    expect(rows).to.deep.equal([
      { path: "a/same/1.txt", folder: "same", above: "a" },
      { path: "a/same/2.txt", folder: "same", above: "a" },
      { path: "b/same/1.txt", folder: "same", above: "b" },
      { path: "top.txt", folder: null, above: null },
    ]);
    expect(folders).to.deep.equal([{ n: "4" }]);
  });

  it("follows links to files inside, and leaves out what leads elsewhere or is no file", async () => {
    // Prepare
    await mkdir(join(directory, "inside"));
    await writeFile(join(directory, "inside", "real.txt"), "real");
    await symlink("inside/real.txt", join(directory, "link.txt"));
    await symlink("/etc/passwd", join(directory, "outside.txt"));
    await symlink("nowhere", join(directory, "dangling.txt"));
    await symlink("..", join(directory, "inside", "loop"));
    await execa("mkfifo", [join(directory, "pipe")]);

    // Act
    const { schema, knowledge } = await make();

    // Assess
    const rows = await select(connection, "SELECT file_name AS name, size FROM ??.documents ORDER BY id", [schema]);
    expect(rows).to.deep.equal([
      { name: "real.txt", size: "4" },
      { name: "link.txt", size: "4" },
    ]);
    const why = "is left out: it is a link that leads elsewhere, or no regular file";
    const skipped = ["dangling.txt", "inside/loop", "outside.txt", "pipe"];
    expect(knowledge.notes).to.deep.equal(skipped.map((name) => `'${name}' ${why}`));
  });

  it("says what to do about a folder that is not there, is no folder, or has no file", async () => {
    // Prepare
    const [absent, file] = [join(directory, "absent"), join(directory, "file")];
    await mkdir(join(directory, "empty", "below"), { recursive: true });
    await writeFile(file, "");

    // Act
    const errors = await Promise.all([absent, file, join(directory, "empty")].map((folder) => failure(make(folder))));

    // Assess
    expect(errors.map(({ code }) => code)).to.deep.equal(["NO_DIRECTORY", "UNREADABLE", "NO_FILES"]);
    expect(errors[0]?.message).to.match(/^'.*absent' cannot be read \(ENOENT/);
    expect(errors[2]?.message).to.match(/^there is no file in '.*empty': name a folder that has some$/);
  });

  it("names the file that cannot be read any more", async () => {
    // Act
    const gone = { path: Buffer.from(join(directory, "gone")), names: ["below", "gone"], size: 5 };
    const target = { Bucket: cloud.caseBucket, Key: "case_6000001/gone", ContentType: "text/plain" };
    const error = await failure(uploadFile(s3, gone, target));

    // Assess
    expect(error.code).to.equal("UNREADABLE");
    expect(error.message).to.match(/^'below\/gone' cannot be read \(ENOENT.*\): make it readable or take it out/);
  });
});
