import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { PDFDocument, StandardFonts } from "@cantoo/pdf-lib";
import { parseWords } from "../../local/corpus/words-file.ts";

const main = join(import.meta.dirname, "..", "..", "local", "corpus", "main.ts");

interface Line {
  file: string;
  outcome: string;
  code?: string;
  texts: string[];
  boxes: unknown[];
  leaks: unknown[];
}

/** A page of words, and what else a file is to have. */
async function makePdf(change?: (pdf: PDFDocument) => unknown): Promise<Uint8Array> {
  const pdf = await PDFDocument.create({ updateMetadata: false });
  const page = pdf.addPage([400, 300]);
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  page.drawText("Public words of all kinds", { x: 40, y: 240, size: 12, font });
  page.drawText("The code is Geheimnis today", { x: 40, y: 210, size: 12, font });
  await change?.(pdf);
  return pdf.save();
}

const files: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  "clean.pdf": () => makePdf(),
  "damaged.pdf": () => Promise.resolve(Buffer.from("%PDF-1.7\nnothing that anybody could read")),
  "encrypted.pdf": () => makePdf((pdf) => pdf.encrypt({ userPassword: "", ownerPassword: "owner" })),
  "sub/form.pdf": () =>
    makePdf((pdf) => {
      const field = pdf.getForm().createTextField("name");
      field.addToPage(pdf.getPage(0), { x: 40, y: 100, width: 120, height: 20 });
      field.setText("Public");
    }),
  "sub/quoting.pdf": () => makePdf((pdf) => pdf.setTitle("About Geheimnis")),
};

describe("npm run corpus", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "exchanger-corpus-test-"));
    await mkdir(join(folder, "in", "sub"), { recursive: true });
    for (const [name, make] of Object.entries(files)) await writeFile(join(folder, "in", name), await make());
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** The last line of stdout, the report, and the exit code. */
  async function run(...args: string[]) {
    const out = join(folder, "out");
    const command = [main, "--files", join(folder, "in"), "--out", out, ...args];
    const { stdout, exitCode } = await execa(process.execPath, command, { reject: false });
    const totals = JSON.parse(stdout.split("\n").at(-1) ?? "") as Record<string, unknown>;
    const lines = (await readFile(join(out, "report.jsonl"), "utf8")).trim().split("\n");
    return { out, exitCode, totals, report: lines.map((line) => JSON.parse(line) as Line) };
  }

  it("redacts the texts of a words file wherever they are drawn, and reports each file", async function () {
    this.timeout(60_000);
    // Prepare
    const words = join(folder, "words.tsv");
    const paths = Object.keys(files);
    await writeFile(words, paths.map((path) => `${path}\tge heimnis\t@0,300,20,50,30\n`).join(""));

    // Act
    const { out, exitCode, totals, report } = await run("--words", words);

    // Assess
    const { slowestSeconds, peakMemoryMiB, ...counts } = totals;
    expect(counts).to.deep.equal({ files: 5, produced: 4, refused: {}, unreadable: 1, leaks: 0, crashes: 0 });
    expect(exitCode).to.equal(0);
    expect(slowestSeconds).to.be.a("number").greaterThan(0);
    expect(peakMemoryMiB).to.be.a("number").greaterThan(0);
    const seen = report.map(({ file, outcome, texts, boxes, leaks }) => ({
      file,
      outcome,
      texts,
      boxes: boxes.length,
      leaks,
    }));
    expect(seen).to.deep.equal(
      paths.map((file) =>
        file === "damaged.pdf"
          ? { file, outcome: "unreadable", texts: [], boxes: 0, leaks: [] }
          : { file, outcome: "produced", texts: ["ge heimnis"], boxes: 2, leaks: [] },
      ),
    );
    const produced = await readFile(join(out, "produced", "sub", "quoting.pdf"), "latin1");
    expect(produced.slice(0, 5)).to.equal("%PDF-");
  });

  it("redacts words at even distances where there is no words file", async function () {
    this.timeout(60_000);
    // Act
    const { totals, report } = await run("--concurrency", "2");
    // Assess
    expect(totals).to.include({ files: 5, produced: 4, unreadable: 1, leaks: 0, crashes: 0 });
    const clean = report.find(({ file }) => file === "clean.pdf");
    expect(clean?.texts).to.deep.equal(["Public", "of", "kinds", "The", "is", "today"]);
  });

  it("only stamps with --no-redactions", async function () {
    this.timeout(60_000);
    // Act
    const { totals, report } = await run("--no-redactions");
    // Assess
    expect(totals).to.include({ files: 5, produced: 4, unreadable: 1, leaks: 0, crashes: 0 });
    expect(report.flatMap(({ boxes }) => boxes)).to.deep.equal([]);
  });

  it("names the option that it cannot use", async () => {
    // Act
    const { stderr, exitCode } = await execa(process.execPath, [main, "--files", folder, "--concurrency", "none"], {
      reject: false,
    });
    // Assess
    expect(stderr).to.match(/^OPTIONS: --concurrency 'none' is no number from 1 to 64/);
    expect(exitCode).to.equal(1);
  });

  it("reads texts and boxes of a words file", () => {
    // Act
    const wanted = parseWords("a b.pdf\tMüller\t@1,10,20,30,40\r\n\na b.pdf\tSecond\n");
    // Assess
    expect([...wanted]).to.deep.equal([
      [
        "a b.pdf",
        { texts: ["Müller", "Second"], boxes: [{ pageIndex: 1, box: { left: 10, top: 20, right: 40, bottom: 60 } }] },
      ],
    ]);
  });

  it("names the line of a words file whose box is none", () => {
    // Act
    const read = () => parseWords("a.pdf\tMüller\nb.pdf\t@0,1,2,3\n");
    // Assess
    expect(read).to.throw("line 2: '@0,1,2,3' is no box: write @page,left,top,width,height");
  });
});
