import { expect } from "chai";
import { failureProblems, readFailures, withFailures, type FailedUnit } from "../../local/demo/failures.ts";
import type { Client } from "../../local/platform/client.ts";

const failed = (stage: FailedUnit["stage"], id: number, message = "no pages"): FailedUnit => ({
  ...{ documentId: String(id), fileId: String(id + 100), stage },
  error: { code: "DOCUMENT_ENGINE_REFUSED", message },
});
const verdict = {
  problems: ["left over: a queue"],
  documents: { selected: 20, copied: 18, notFound: 1, failed: 1 },
  rows: {},
  leftovers: 1,
};

describe("the verdict of the demo", () => {
  it("says how much failed in each stage, and names the first of it with its reason", () => {
    const failures = [
      failed("upload", 1),
      failed("copy", 2),
      ...Array.from({ length: 6 }, (_, id) => failed("re_ocr", id)),
    ];

    const problems = failureProblems(failures);

    const named = (id: number) => `file ${id + 100} of document ${id} (DOCUMENT_ENGINE_REFUSED: no pages)`;
    expect(problems).to.deep.equal([
      `1 copies failed: ${named(2)}`,
      `1 uploads failed: ${named(1)}`,
      `6 text extractions failed: ${[0, 1, 2, 3, 4].map(named).join(", ")}, and 1 more`,
    ]);
  });

  it("counts documents that were copied and could not be uploaded as failed", () => {
    const view = { documents: { selected: 20, copied: 3, notFound: 1, failed: 16 } };

    const joined = withFailures(verdict, view, [failed("upload", 1)]);

    expect(joined).to.deep.equal({
      ...verdict,
      problems: [failureProblems([failed("upload", 1)])[0], "left over: a queue"],
      documents: { selected: 20, copied: 3, notFound: 1, failed: 16 },
    });
  });

  it("stays what the outside check found where nothing is reported as failed", () => {
    expect(withFailures(verdict, { documents: { ...verdict.documents, failed: 0 } }, [])).to.deep.equal(verdict);
  });

  it("reads every page of what failed", async () => {
    const asked: string[] = [];
    const pages = [
      { documents: [failed("copy", 1)], next: "copy:101" },
      { documents: [failed("upload", 1)], next: null },
    ];
    const request: Client["request"] = (_method, path) => {
      asked.push(path);
      return Promise.resolve({ status: 200, headers: new Headers(), body: pages[asked.length - 1] });
    };

    const failures = await readFailures({ request } as Client, "x");

    expect(failures).to.deep.equal([failed("copy", 1), failed("upload", 1)]);
    const path = "/exchanges/x/documents?state=failed&limit=500";
    expect(asked).to.deep.equal([path, `${path}&after=copy:101`]);
  });
});
