import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { bugs, made, plant } from "../../local/chaos/bugs/index.ts";
import { faults } from "../../local/chaos/faults/index.ts";
import { parseRow } from "../../local/chaos/rows.ts";

const root = join(import.meta.dirname, "..", "..");

describe("the seeded bugs", () => {
  it("have names of their own, from all parts", () => {
    const parts = new Set(bugs.flatMap(({ edits }) => edits.map(({ file }) => file.split("/")[0])));

    expect(new Set(bugs.map(({ name }) => name)).size).to.equal(bugs.length);
    expect(bugs).to.have.length.of.at.least(14);
    expect(parts).to.deep.equal(new Set(["engine", "programs", "processors", "glue"]));
  });

  for (const bug of bugs) {
    it(`can be planted: ${bug.name}`, async () => {
      for (const edit of bug.edits) {
        const text = await readFile(join(root, edit.file), "utf8");
        expect(made(edit, text)).to.not.equal(text);
      }
      expect(parseRow(bug.row, faults).name).to.equal(bug.row);
    });
  }

  it("are refused when the code has moved on", () => {
    const edit = { file: "a.ts", find: "one", replace: "two" };

    expect(() => made(edit, "nothing")).to.throw("'one' stands 0 times in a.ts: put the list of seeded bugs right");
    expect(() => made(edit, "one, one")).to.throw("'one' stands 2 times in a.ts");
  });

  it("are made in a copy, which goes", async function () {
    this.timeout(20_000);
    const [bug] = bugs;
    const { file = "" } = bug?.edits[0] ?? {};

    const tree = await plant(bug!);
    const planted = await readFile(join(tree.root, file), "utf8");
    await tree.remove();
    const gone: unknown = await readFile(join(tree.root, file)).catch((error: unknown) => error);

    expect(planted).to.contain(bug!.edits[0]!.replace.trim().split("\n")[0]);
    expect((gone as { code: string }).code).to.equal("ENOENT");
  });
});
