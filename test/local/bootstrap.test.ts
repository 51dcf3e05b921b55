import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { execa } from "execa";

const root = join(import.meta.dirname, "..", "..");

/** A clone with our bootstrap, one script, and a lock file that asks for nothing: `npm ci` installs in a moment. */
describe("the start of every npm script", function () {
  this.timeout(60_000);
  let clone: string;
  beforeEach(async () => {
    clone = await realpath(await mkdtemp(join(tmpdir(), "exchanger-clone-")));
    await mkdir(join(clone, "local"));
    await cp(join(root, "local/bootstrap.mjs"), join(clone, "local/bootstrap.mjs"));
    const node = { name: "node", version: "1.0.0", bin: { node: "node" } };
    await mkdir(join(clone, "pinned"));
    await symlink(process.execPath, join(clone, "pinned/node"));
    await writeFile(join(clone, "pinned/package.json"), JSON.stringify(node));
    const manifest = { name: "clone", version: "1.0.0", type: "module", dependencies: { node: "file:pinned" } };
    await writeFile(join(clone, "package.json"), JSON.stringify(manifest));
    await execa("npm", ["install", "--package-lock-only", "--no-audit", "--no-fund"], { cwd: clone });
  });
  afterEach(() => rm(clone, { recursive: true, force: true }));

  const start = (...args: string[]) =>
    execa("node", [join(clone, "local/bootstrap.mjs"), ...args], { reject: false, cwd: tmpdir() });

  it("installs once when two start at once, and passes arguments and the exit code through", async () => {
    // Prepare
    await writeFile(join(clone, "say.ts"), "console.log(JSON.stringify(process.argv.slice(2))); process.exit(7);");

    // Act
    const both = await Promise.all([start("say.ts", "a", "b c"), start("say.ts", "--", "-x")]);
    const third = await start("say.ts");

    // Assess
    expect(both.map(({ stdout, exitCode }) => [stdout, exitCode])).to.deep.equal([
      ['["a","b c"]', 7],
      ['["--","-x"]', 7],
    ]);
    const installs = [...both, third].map(({ stderr }) => stderr.split("installing node_modules").length - 1);
    expect(installs.reduce((sum, count) => sum + count)).to.equal(1);
    expect(third.stderr).to.equal("");
  });

  it("installs again when the lock file has changed", async () => {
    // Prepare
    await writeFile(join(clone, "say.ts"), "");
    await start("say.ts");
    await mkdir(join(clone, "added"));
    await writeFile(join(clone, "added/package.json"), JSON.stringify({ name: "added", version: "1.0.0" }));
    await execa("npm", ["install", "--package-lock-only", "--no-audit", "--no-fund", "./added"], { cwd: clone });

    // Act
    const { stderr } = await start("say.ts");

    // Assess
    expect(stderr).to.contain("installing node_modules");
    expect(await readdir(join(clone, "node_modules"))).to.include("added");
  });

  it("hands SIGTERM on and ends as the script does", async () => {
    // Prepare
    await writeFile(
      join(clone, "stay.ts"),
      'process.on("SIGTERM", () => { console.log("asked to go"); process.exit(5); }); setInterval(() => {}, 1000); console.log("up");',
    );
    const running = start("stay.ts");
    await once(running.stdout, "data");

    // Act
    running.kill("SIGTERM");
    const { exitCode, stdout } = await running;

    // Assess
    expect([exitCode, stdout]).to.deep.equal([5, "up\nasked to go"]);
  });
});
