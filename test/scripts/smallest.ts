/**
 * Each npm script that is no step of `npm test` itself, at its smallest size, one after the other: what nothing runs
 * breaks without anybody noticing. Named without `.test`, since `npm test` runs it beside the suites.
 */
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PDFDocument } from "@cantoo/pdf-lib";
import { expect } from "chai";
import { NpmRun } from "./npm-run.ts";
import { measured } from "./scripts.ts";

describe("npm run", () => {
  let folder: string;
  let files: string;
  const runs: NpmRun[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "exchanger-script-"));
    files = join(folder, "files");
    await mkdir(files);
  });
  afterEach(async () => {
    for (const run of runs.splice(0)) {
      run.interrupt();
      await run.ended();
    }
    await rm(folder, { recursive: true, force: true });
  });

  const npm = (script: string, ...args: string[]): NpmRun => {
    const run = new NpmRun(script, args, { EXCHANGER_RUN_DIR: join(folder, "run") });
    runs.push(run);
    return run;
  };
  /** Document Engine refuses it: there is nothing to show. */
  const pdfWithoutPages = async () => (await PDFDocument.create()).save({ addDefaultPage: false });

  it("demo names the upload that failed, counts it, and exits with 1", async () => {
    await writeFile(join(files, "letter.txt"), "text");
    await writeFile(join(files, "empty.pdf"), await pdfWithoutPages());

    const run = npm("demo", "--files", files);
    const code = await run.ended();

    expect(run.result(), run.stderr).to.deep.include({
      state: "FINISHED",
      documents: { selected: 2, copied: 1, notFound: 0, failed: 1 },
      leftovers: 0,
    });
    expect([code, /^✖ 1 uploads failed: file \d+ of document \d+ \(\w+: .+\)$/m.test(run.stderr)]).to.deep.equal([
      1,
      true,
    ]);
  });

  it("demo ends with the reason and 1 when its case cannot be made", async () => {
    await writeFile(join(files, "letter.txt"), "text");

    const run = npm("demo", "--files", files);
    await run.has("▶ Cloud");
    await rm(files, { recursive: true });

    expect([await run.ended(), run.stdout]).to.deep.equal([1, ""]);
    expect(run.stderr).to.contain("NO_DIRECTORY: ");
  });

  it("local runs until Ctrl-C, and pulumi shows its stacks meanwhile", async () => {
    const local = npm("local");
    await local.has("npm run pulumi -- stack ls");

    const pulumi = npm("pulumi", "stack", "ls");
    const listed = await pulumi.ended();
    local.interrupt();

    expect([listed, pulumi.stdout.includes("global-local")], pulumi.stderr).to.deep.equal([0, true]);
    // The exit code of npm says only that it was interrupted as well.
    await local.ended();
    expect(local.stderr).to.contain("✔ Stopping everything");
  });

  for (const { script, args, result } of measured) {
    it(`${script} ${args(":files:", ":out:").join(" ")} measures`, async () => {
      const page = await PDFDocument.create();
      page.addPage().drawText("A page");
      await writeFile(join(files, "page.pdf"), await page.save());

      const run = npm(script, ...args(files, join(folder, "out")));

      expect(await run.ended(), run.stderr).to.equal(0);
      expect(Object.keys(run.result() as object), run.stderr).to.include.members(result);
    });
  }
});
