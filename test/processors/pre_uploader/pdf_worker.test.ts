/** The life of the worker thread, with a script in place of the work on PDFs. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { defaultBudgets } from "../../../processors/pre_uploader/pdf-worker/budgets.ts";
import { createPdfWork } from "../../../processors/pre_uploader/pdf-worker/pool.ts";
import type { PdfWork } from "../../../processors/pre_uploader/pdf-worker/pool.ts";
import { workerFilesOfSources } from "../../../processors/pre_uploader/pdf-worker/worker-files.ts";

/** Seconds of a document, and of each of its tasks. */
const [allowed, taken] = [1.5, 0.4];
const budgets = {
  ...defaultBudgets,
  seconds: { base: allowed, perMebibyte: 0, perPage: 0, perRedactedPage: 0, most: allowed },
};
const reply = "({ result: { pages: thread, bytes: new Uint8Array(1) }, pdfiumMebibytes: 1 })";

describe("the life of the worker thread for PDFs", function () {
  this.timeout(60_000);
  let folder: string;
  let work: PdfWork | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "exchanger-worker-"));
  });
  afterEach(async () => {
    await work?.close();
    await rm(folder, { recursive: true });
  });

  /** @param prepare what the worker does when it prepares a file; `thread` is the number of its thread */
  async function start(prepare: string): Promise<PdfWork> {
    const script = join(folder, "worker.mjs");
    const lines = [
      `import { threadId as thread } from "node:worker_threads";`,
      `import workerpool from "${import.meta.resolve("workerpool")}";`,
      `const takes = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));`,
      `workerpool.worker({ start: () => true, prepare: ${prepare} });`,
    ];
    await writeFile(script, lines.join("\n"));
    return (work = createPdfWork({ ...workerFilesOfSources(), script, budgets }));
  }
  const pdf = () => new Uint8Array(8);
  const outcomeOf = (task: Promise<unknown>): Promise<string> =>
    task.then(
      () => "done",
      (error: unknown) => (error as { code: string }).code,
    );
  const inTurn = `async () => { await takes(${taken}); return ${reply}; }`;

  it("does not count the time in which a document waits for others", async () => {
    const pdfs = await start(inTurn);
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => outcomeOf(pdfs.ofDocument().prepare(pdf()))));
    expect(outcomes).to.deep.equal(Array.from({ length: 5 }, () => "done"));
  });

  it("counts the time of all tasks of a document together, and of no other", async () => {
    // Prepare
    const pdfs = await start(inTurn);
    const document = pdfs.ofDocument();

    // Act
    const outcomes: string[] = [];
    while (outcomes.length < 10 && outcomes.at(-1) !== "PDF_TOO_COMPLEX") {
      outcomes.push(await outcomeOf(document.prepare(pdf())));
    }

    // Assess
    expect(outcomes.length).to.be.within(2, Math.ceil(allowed / taken));
    expect(outcomes.at(-1)).to.equal("PDF_TOO_COMPLEX");
    expect(await outcomeOf(pdfs.ofDocument().prepare(pdf()))).to.equal("done");
  });

  it("uses one thread for one document after the other", async () => {
    const pdfs = await start(`() => ${reply}`);
    const threads = await Promise.all(Array.from({ length: 3 }, async () => (await pdfs.prepare(pdf())).pages));
    expect(new Set(threads).size).to.equal(1);
  });

  it("takes a new thread in place of one that ended while it had nothing to do", async () => {
    // Prepare
    const pdfs = await start(`() => { setTimeout(() => process.exit(3), 50); return ${reply}; }`);
    const { pages: first } = await pdfs.prepare(pdf());
    await new Promise((resolve) => setTimeout(resolve, 500));

    // Act
    const { pages: second } = await pdfs.prepare(pdf());

    // Assess
    expect(second).not.to.equal(first);
  });

  const uses: Record<string, string> = {
    "without any work": "",
    "after its work": "await work.prepare(new Uint8Array(8));",
    "while it works": "work.prepare(new Uint8Array(8)).then(() => process.stdout.write('done'));",
    "after a document that took too long":
      "await work.prepare(new Uint8Array(9)).catch(({ code }) => process.stdout.write(code));",
  };
  const codes: Record<string, string> = {
    "while it works": "done",
    "after a document that took too long": "PDF_TOO_COMPLEX",
  };
  for (const [when, use] of Object.entries(uses)) {
    it(`leaves nothing that keeps the process when it is closed ${when}`, async () => {
      // Prepare
      await start(`async (pages, file) => { await takes(file.length === 9 ? 600 : 0.1); return ${reply}; }`);
      const pool = new URL("../../../processors/pre_uploader/pdf-worker/pool.ts", import.meta.url).href;
      const options = JSON.stringify({ script: join(folder, "worker.mjs"), wasm: "", budgets });
      const lines = [
        `import { createPdfWork } from "${pool}";`,
        `const work = createPdfWork(${options});`,
        use,
        "await work.close();",
      ];
      const program = join(folder, "program.mjs");
      await writeFile(program, lines.join("\n"));

      // Act
      const ended = await execa(process.execPath, [program], { timeout: 30_000, reject: false });

      // Assess
      const { timedOut, exitCode, stdout, stderr } = ended;
      expect({ timedOut, exitCode, stdout, stderr }).to.deep.equal({
        ...{ timedOut: false, exitCode: 0, stdout: codes[when] ?? "", stderr: "" },
      });
    });
  }
});
