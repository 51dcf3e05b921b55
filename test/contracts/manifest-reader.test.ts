import { expect } from "chai";
import fc from "fast-check";
import { linesOf, readManifest, unitsOf, type ManifestRecord } from "../../contracts/manifest-reader.ts";

const partKey = "exchanges/x/manifest/part-00007.jsonl";
const file = {
  ...{ fileId: "5", destinationFileId: "6", role: "document", size: "7", sha256: null },
  ...{ sourceKey: "case_1/a.pdf", destinationKey: "case_2/a.pdf" },
};
const line = { documentId: "1", destinationDocumentId: "2", sourceBatchId: "b0", exhibits: [], files: [file] };
const withFile = (more: object) => ({ ...line, files: [{ ...file, ...more }] });

async function* stream(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

async function readAll(text: string | Uint8Array): Promise<ManifestRecord[]> {
  return collect(readManifest(partKey, () => Promise.resolve(stream(Buffer.from(text)))));
}

describe("the reader of the manifest", () => {
  it("finds the same lines however the stream is cut", () => {
    const text = fc.array(fc.string({ unit: "binary" }).filter((one) => !one.includes("\n")));
    return fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 7 }), async (lines, size) => {
        const bytes = Buffer.from(lines.map((one) => `${one}\n`).join(""));
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        const found = await collect(linesOf(stream(...chunks)));
        expect(found.map((one) => Buffer.from(one.bytes).toString("utf8"))).to.deep.equal(
          lines.map((one) => Buffer.from(one).toString("utf8")),
        );
      }),
    );
  });

  for (const [name, separator] of [
    ["U+2028", "\u2028"],
    ["U+2029", "\u2029"],
    ["U+0085", "\u0085"],
    ["U+FFFE", "\uFFFE"],
    ["a vertical tab", "\v"],
  ] as const) {
    it(`takes a key with ${name} for part of one line`, async () => {
      const given = withFile({ sourceKey: `case_1/${separator}/a.pdf` });

      const records = await readAll(`${JSON.stringify(given)}\n${JSON.stringify(line)}\n`);

      expect(records.map((record) => record.kind === "document" && record.line.files[0]?.sourceKey)).to.deep.equal([
        `case_1/${separator}/a.pdf`,
        "case_1/a.pdf",
      ]);
    });
  }

  it("takes lines that end with a carriage return, blank lines, and a last one without an end", async () => {
    const text = JSON.stringify(line);

    const records = await readAll(`${text}\r\n\r\n\n${text}`);

    expect(records.map(({ kind, place }) => [kind, place])).to.deep.equal([
      ["document", "line-7-1"],
      ["document", "line-7-4"],
    ]);
  });

  it("finds nothing in an empty part", async () => {
    expect(await readAll("")).to.deep.equal([]);
  });

  it("takes a size beyond the numbers of JSON for one that no object has, and takes a number as well", async () => {
    const sizes = ["0", "9007199254740991", 7, "9007199254740992", "18446744073709551615", "-1", 1.5, null];

    const records = await readAll(sizes.map((size) => JSON.stringify(withFile({ size }))).join("\n"));

    const beyond = (size: string) => `files.0.size is ${size}, more bytes than an object on S3 can have ("${size}")`;
    const seen = records.map((record) =>
      record.kind === "document" ? record.line.files[0]?.size : record.error.message.split("does not fit: ")[1],
    );
    expect(seen).to.deep.equal([
      0,
      9007199254740991,
      7,
      beyond("9007199254740992"),
      beyond("18446744073709551615"),
      'files.0.size must be a number of bytes ("-1")',
      "files.0.size must be a number of bytes (1.5)",
      "files.0.size must be a number of bytes",
    ]);
  });

  const longest = `case_1/${"ß".repeat((1024 - 7) / 2)}`;
  const refusals: [title: string, text: string, documentId: string | null, message: string][] = [
    [
      "a key that S3 cannot have",
      JSON.stringify(withFile({ sourceKey: `${longest}ßß` })),
      "1",
      `does not fit: files.0.sourceKey has 1027 bytes, a key on S3 at most 1024 ("${longest.slice(0, 119)}…)`,
    ],
    [
      "a document id of zero",
      JSON.stringify({ ...line, documentId: "0" }),
      null,
      'does not fit: documentId must be a positive whole number ("0")',
    ],
    [
      "no document id",
      JSON.stringify({ ...line, documentId: undefined }),
      null,
      "does not fit: documentId Invalid input: expected string, received undefined",
    ],
    ["a file that is named twice", JSON.stringify({ ...line, files: [file, file] }), "1", "names file 5 twice"],
    ["a cut line", JSON.stringify(line).slice(0, 60), "1", "is not JSON in UTF-8"],
    ["no JSON", "x", null, "is not JSON in UTF-8"],
    ["JSON that is no object", "null", null, "does not fit: the record Invalid input: expected object, received null"],
  ];
  for (const [title, text, documentId, message] of refusals) {
    it(`refuses ${title}, names what it can, and goes on with the next line`, async () => {
      const records = await readAll(`${text}\n${JSON.stringify(line)}\n`);

      const [first, second] = records;
      expect(first).to.deep.include({ kind: "refused", place: "line-7-1", documentId });
      expect(first?.kind === "refused" && first.error).to.deep.equal({
        code: "INVALID_RECORD",
        message: `line 1 of ${partKey} ${message}`,
      });
      expect([records.length, second?.kind, second?.place]).to.deep.equal([2, "document", "line-7-2"]);
    });
  }

  it("refuses a line that is not UTF-8", async () => {
    const bytes = Buffer.concat([Buffer.from(JSON.stringify(line).slice(0, -2)), Buffer.from([0xff, 0x7d, 0x0a])]);

    const records = await readAll(bytes);

    expect(records.map((record) => [record.kind, record.kind === "refused" && record.documentId])).to.deep.equal([
      ["refused", "1"],
    ]);
  });

  it("refuses a line that is too long without keeping it, and goes on with the next one", async () => {
    const long = JSON.stringify({ ...line, sourceBatchId: "x".repeat(5 * 1024 * 1024) });

    const records = await readAll(`${long}\n${JSON.stringify(line)}`);

    expect(records.map((record) => (record.kind === "refused" ? record.error.message : record.place))).to.deep.equal([
      `line 1 of ${partKey} has more than 4194304 bytes`,
      "line-7-2",
    ]);
    expect(records[0]).to.have.property("documentId", "1");
  });

  it("names at most five problems of a record, and how many there are more", async () => {
    const files = Array.from({ length: 9 }, (_, id) => ({ ...file, fileId: String(id + 1), size: -1 }));

    const [record] = await readAll(JSON.stringify({ ...line, files }));

    expect(record?.kind === "refused" && record.error.message.split("; ").length).to.equal(5);
    expect(record?.kind === "refused" && record.error.message).to.match(/, and 4 problems more$/);
  });

  it("refuses a part that is not named like one", async () => {
    const reading = collect(readManifest("exchanges/x/manifest/other.jsonl", () => Promise.resolve(stream())));

    expect(await reading.catch((error: unknown) => error)).to.have.property("code", "INVALID_MANIFEST");
  });
});

describe("the units of a record of the manifest", () => {
  const annotated = { annotations: { redactionsAs: "brand_in" as const } };
  const units = async (given: object, request: Parameters<typeof unitsOf>[1]) =>
    (await readAll(JSON.stringify(given)))
      .flatMap((record) => unitsOf(record, request))
      .map(({ stage, unitId, documentId }) => [stage, unitId, documentId]);

  it("are the stages of each of its files", async () => {
    expect(await units(line, {})).to.deep.equal([
      ["copy", "5", "1"],
      ["upload", "5", "1"],
    ]);
    expect(await units(withFile({ role: "native" }), annotated)).to.deep.equal([["copy", "5", "1"]]);
    expect(await units(withFile({ role: "text" }), annotated)).to.deep.equal([]);
  });

  it("are those of the files that can be made out of a refused one", async () => {
    const given = { ...line, exhibits: 1, files: [file, { fileId: "x" }, { fileId: "8", role: "native" }] };

    expect(await units(given, {})).to.deep.equal([
      ["copy", "5", "1"],
      ["upload", "5", "1"],
      ["copy", "8", "1"],
    ]);
  });

  it("are its place where no file of a refused one would travel", async () => {
    const given = { ...withFile({ role: "text" }), destinationDocumentId: null };

    expect(await units(given, annotated)).to.deep.equal(
      ["pre_upload", "upload", "re_ocr", "search"].map((stage) => [stage, "line-7-1", "1"]),
    );
    expect(await units({ files: [] }, {})).to.deep.equal(
      ["copy", "upload"].map((stage) => [stage, "line-7-1", "line-7-1"]),
    );
  });
});
