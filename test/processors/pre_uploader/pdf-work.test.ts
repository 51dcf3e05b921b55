/** The thread that works on PDFs, and the budgets that end it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { defaultBudgets } from "../../../processors/pre_uploader/pdf-worker/budgets.ts";
import type { Budgets } from "../../../processors/pre_uploader/pdf-worker/budgets.ts";
import { createPdfWork } from "../../../processors/pre_uploader/pdf-worker/pool.ts";
import type { PdfWork } from "../../../processors/pre_uploader/pdf-worker/pool.ts";
import { workerFilesOfSources } from "../../../processors/pre_uploader/pdf-worker/worker-files.ts";
import { boxOf } from "../../../processors/pre_uploader/pdf/geometry.ts";
import { makePdf } from "../engine_bench.ts";
import { hostile, pageTextBomb } from "./hostile.fixture.ts";

const redactions = [{ pageIndex: 0, boxes: [boxOf([30, 40, 200, 30])] }];
const noSeconds = {
  ...defaultBudgets,
  seconds: { base: 0.3, perMebibyte: 0, perPage: 0, perRedactedPage: 0, most: 1 },
};
const littleMemory = { ...defaultBudgets, mebibytes: { base: 64, perMebibyte: 0 } };

describe("the worker thread for PDFs", function () {
  this.timeout(60_000);
  let work: PdfWork | undefined;
  const start = (budgets?: Budgets) =>
    (work = createPdfWork({ ...workerFilesOfSources(), ...(budgets && { budgets }) }));
  const failureOf = (task: Promise<unknown>): Promise<unknown> =>
    task.then(
      () => "no failure",
      (error: unknown) => error,
    );
  afterEach(() => work?.close());

  it("prepares a PDF and says how many pages it has", async () => {
    const pdf = await makePdf([{ lines: ["one"] }, { lines: ["two"] }]);
    const { pages, bytes } = await start().prepare(pdf);
    expect({ pages, begins: Buffer.from(bytes.subarray(0, 5)).toString() }).to.deep.equal({
      pages: 2,
      begins: "%PDF-",
    });
  });

  it("raises the error of a task with its class, code and message, and goes on with the next file", async () => {
    const pdfs = start();
    const failure = await failureOf(pdfs.prepare(new Uint8Array()));
    expect(failure).to.deep.include({ name: "PermanentError", kind: "permanent", code: "PDF_EMPTY" });
    expect(failure).to.have.property("message", "the PDF has no bytes: load the document anew");
    expect(await pdfs.prepare(await makePdf([{ lines: [] }]))).to.include({ pages: 1 });
  });

  it("ends a task that takes longer than its budget, names the budget, and gives the next task a new worker", async () => {
    const pdfs = start(noSeconds);
    const [bomb, next] = [
      pdfs.terms(await pageTextBomb(), redactions, []),
      pdfs.prepare(await makePdf([{ lines: [] }])),
    ];
    expect(await failureOf(bomb))
      .to.include({ kind: "permanent", code: "PDF_TOO_COMPLEX" })
      .and.property("message")
      .matches(/budget of 1 s/);
    expect(await next).to.include({ pages: 1 });
  });

  it("ends a task that takes more memory than its budget, and names the budget", async () => {
    const failure = await failureOf(start(littleMemory).terms(await pageTextBomb(), redactions, []));
    expect(failure).to.include({ kind: "permanent", code: "PDF_TOO_COMPLEX" });
    expect(failure)
      .to.have.property("message")
      .that.matches(/budget of 64 MiB of memory/);
  });

  it("reports a worker that does not start as a passing fault, not as one of the file", async () => {
    work = createPdfWork({ ...workerFilesOfSources(), wasm: "/nowhere/pdfium.wasm" });
    expect(await failureOf(work.prepare(await makePdf([{ lines: [] }])))).to.include({
      ...{ kind: "recoverable", code: "PDF_WORKER_NOT_STARTED" },
    });
  });

  it("takes a worker that ends by itself for a file that is too complex, and goes on with a new one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "exchanger-worker-"));
    const script = join(folder, "worker.mjs");
    const library = import.meta.resolve("workerpool");
    await writeFile(
      script,
      `import workerpool from "${library}"; workerpool.worker({ start: () => true, prepare: () => process.exit(3) });`,
    );
    work = createPdfWork({ ...workerFilesOfSources(), script });
    const pdf = await makePdf([{ lines: [] }]);
    for (let times = 0; times < 2; times++) {
      const failure = await failureOf(work.prepare(pdf.slice()));
      expect(failure).to.include({ kind: "permanent", code: "PDF_TOO_COMPLEX" });
    }
    await rm(folder, { recursive: true });
  });

  for (const [what, make] of Object.entries(hostile)) {
    it(`ends with a result or an error by name on ${what}`, async () => {
      // Prepare
      const pdf = await make();
      const pdfs = start().ofDocument();

      // Act
      const end = await failureOf(
        (async () => {
          const { bytes } = await pdfs.prepare(pdf);
          const terms = await pdfs.terms(bytes, redactions, []);
          const produced = await pdfs.separate(bytes, new Set([0]));
          await pdfs.finish({ source: bytes, produced, redactions, terms, drawn: [] });
        })(),
      );

      // Assess
      expect(end)
        .to.include({ kind: "permanent" })
        .and.property("code")
        .oneOf(["PDF_TOO_COMPLEX", "PDF_UNREADABLE_PART", "PROOF_FAILED"]);
    });
  }
});
