import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { cached, fingerprint } from "../../local/toolchain/cache.ts";
import { ensureToolchain } from "../../local/toolchain/index.ts";
import { pulumiVersion } from "../../local/toolchain/pulumi.ts";
import { findExecutable, javaMajor } from "../../local/toolchain/system.ts";

const root = join(import.meta.dirname, "..", "..");

describe("the toolchain", function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "exchanger-tools-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function executable(...path: string[]): Promise<string> {
    const file = join(folder, ...path);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, "#!/bin/sh\n");
    await chmod(file, 0o755);
    return file;
  }

  it("builds a tool once, however many ask for it at once", async () => {
    // Prepare
    const target = join(folder, "tool-1.0");
    let builds = 0;
    const build = async (into: string) => {
      builds++;
      await writeFile(join(into, "tool"), "whole");
    };

    // Act
    const asked = await Promise.all([1, 2, 3].map(() => cached(target, build)));

    // Assess
    expect({ builds, asked }).to.deep.equal({ builds: 1, asked: [target, target, target] });
    expect(await readFile(join(target, "tool"), "utf8")).to.equal("whole");
  });

  it("builds again after a failure, and leaves nothing half-built under the tool's name", async () => {
    // Prepare
    const target = join(folder, "tool-1.0");
    const failing = async (into: string) => {
      await writeFile(join(into, "tool"), "half");
      throw new Error("no network");
    };

    // Act
    const failure: unknown = await cached(target, failing).catch((error: unknown) => error);
    const afterFailure = await readdir(folder);
    await cached(target, (into) => writeFile(join(into, "tool"), "whole"));

    // Assess
    expect((failure as Error).message).to.equal("no network");
    expect(afterFailure).to.deep.equal([]);
    expect(await readFile(join(target, "tool"), "utf8")).to.equal("whole");
  });

  it("takes over from a process that was killed half way, and removes what that one left", async () => {
    // Prepare
    const target = join(folder, "tool-1.0");
    await mkdir(`${target}.lock`);
    await utimes(`${target}.lock`, new Date(0), new Date(0));
    await mkdir(`${target}.dead`);
    await symlink("tool-1.0.dead", `${target}.dead.link`);

    // Act
    await cached(target, (into) => writeFile(join(into, "tool"), "whole"));

    // Assess
    const left = (await readdir(folder)).map((name) => name.replace(/\.[0-9a-f]{8}$/, ".built")).sort();
    expect(left).to.deep.equal(["tool-1.0", "tool-1.0.built"]);
  });

  it("finds the first executable on PATH, and passes over files that cannot be executed", async () => {
    await mkdir(join(folder, "first"));
    await writeFile(join(folder, "first", "some-tool"), "");
    const second = await executable("second", "some-tool");
    const path = `${join(folder, "first")}::${join(folder, "second")}`;

    expect(findExecutable(["other-tool", "some-tool"], path)).to.equal(second);
    expect(findExecutable(["other-tool"], path)).to.equal(undefined);
  });

  it("tells one build of an executable from another", async () => {
    const tool = await executable("tool");
    const before = await fingerprint(tool);
    await writeFile(tool, "#!/bin/sh\nexit 1\n");

    expect(before).to.match(/^[0-9a-z]+-[0-9a-z]+$/);
    expect(await fingerprint(tool)).not.to.equal(before);
  });

  it("reads the version of Java out of its release file and out of its version line", () => {
    const texts = [
      'JAVA_VERSION="17.0.15"',
      'openjdk version "21.0.2" 2024-01-16',
      'java version "1.8.0_402"',
      "unknown",
    ];
    expect(texts.map(javaMajor)).to.deep.equal([17, 21, 8, 0]);
  });

  it("has the Pulumi CLI of exactly the version of our Pulumi SDK, in the build files too", async () => {
    const { version } = createRequire(import.meta.url)("@pulumi/pulumi/package.json") as { version: string };
    const module = await readFile(join(root, "local/toolchain/pulumi/go.mod"), "utf8");
    const { pulumi } = await ensureToolchain(() => undefined);
    const { stdout } = await execa(pulumi, ["version"], { env: { PULUMI_SKIP_UPDATE_CHECK: "true" } });

    expect({ pulumiVersion, cli: stdout }).to.deep.equal({ pulumiVersion: version, cli: `v${version}` });
    expect(module).to.contain(`require github.com/pulumi/pulumi/pkg/v3 v${version}\n`);
  });

  it("pins every direct requirement of the Python environment in the lock file", async () => {
    const lines = async (name: string) =>
      (await readFile(join(root, "local/toolchain", name), "utf8")).split("\n").filter((line) => /^\w/.test(line));
    const locked = await lines("requirements.lock");

    expect(locked).to.include.members(await lines("requirements.txt"));
    expect(locked.filter((line) => !/^[\w.-]+==[\w.]+$/.test(line))).to.deep.equal([]);
  });

  it("says nothing and installs nothing when all is there", async () => {
    const said: string[] = [];
    await ensureToolchain(() => undefined);
    const toolchain = await ensureToolchain((message) => said.push(message));

    expect(said).to.deep.equal([]);
    expect(await readdir(toolchain.cacheDir)).to.include(`pulumi-${pulumiVersion}`);
  });
});
