/** `npm run pulumi -- ARGS`: the plain Pulumi CLI as the operator of the local cloud that runs from this clone. */
import { join } from "node:path";
import { execa } from "execa";
import { ExchangerError } from "../../contracts/errors.ts";
import { pulumiEnvironment, readDescription, type CloudDescription } from "../cloud/description.ts";
import { projectDir } from "../cloud/project.ts";

const root = join(import.meta.dirname, "..", "..");

async function runPulumi(cloud: CloudDescription, args: readonly string[]): Promise<number> {
  const env = { ...process.env, ...pulumiEnvironment(cloud, "operator") };
  const cwd = projectDir(cloud.runDir);
  const result = await execa("pulumi", args, { cwd, env, extendEnv: false, stdio: "inherit", reject: false });
  return result.exitCode ?? 1;
}

// A terminal's Ctrl-C reaches the CLI by itself, and the CLI decides what becomes of it.
process.on("SIGINT", () => undefined);
try {
  const cloud = await readDescription(process.env["EXCHANGER_RUN_DIR"] ?? join(root, ".local"));
  process.exitCode = await runPulumi(cloud, process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ExchangerError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
