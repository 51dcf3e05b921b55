import { readFile } from "node:fs/promises";
import { expect } from "chai";
import packageJson from "../../package.json" with { type: "json" };
import { scriptOf, stepsWith } from "../steps.ts";
import { interactive, measured } from "./scripts.ts";

/** Scripts that nothing needs to run again. */
const running: Readonly<Record<string, string>> = {
  test: "is what runs",
  start: "is the engine, which every suite of whole exchanges starts as `node engine/main.ts`",
};

/** Those that `npm test` runs, as steps or in the step `scripts`. */
const exercised = new Set([
  ...stepsWith({ python: "python" }).flatMap((step) => scriptOf(step) ?? []),
  ...measured.map(({ script }) => script),
  ...interactive,
  ...Object.keys(running),
]);

describe("the npm scripts", () => {
  it("are all exercised by npm test, those that the README names and all that it does not", async () => {
    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
    const named = [...readme.matchAll(/`(?:npm run )?((?:bench:)?[a-z]+)(?: -- [^`]*)?`/g)].flatMap(([, name = ""]) =>
      name in packageJson.scripts ? [name] : [],
    );
    const written = [...readme.matchAll(/npm run ([a-z:]+)/g)].map(([, name = ""]) => name);

    const missing = [...named, ...written, ...Object.keys(packageJson.scripts)].filter((name) => !exercised.has(name));

    expect(missing).to.deep.equal([]);
    expect(named.length).to.be.above(5);
  });

  it("are all there that the README names", async () => {
    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
    const written = [...readme.matchAll(/npm run ([a-z:]+)/g)].map(([, name = ""]) => name);

    expect(written.filter((name) => !(name in packageJson.scripts))).to.deep.equal([]);
  });

  it("start the engine as the suites do", () => {
    expect(packageJson.scripts.start).to.equal("node engine/main.ts");
  });
});
