/** One local cloud for all suites of a mocha process: started when the first asks for it, stopped by the root hooks. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCloud, type Cloud } from "../../local/cloud/cloud.ts";
import { ensureToolchain } from "../../local/toolchain/index.ts";

let shared: Promise<Cloud> | undefined;

/** The cloud of this test process. Suites share it: name what you create so that it cannot collide. */
export function sharedCloud(): Promise<Cloud> {
  shared ??= start();
  return shared;
}

async function start(): Promise<Cloud> {
  const progress = (message: string) => process.stderr.write(`  cloud: ${message}\n`);
  const toolchain = await ensureToolchain(progress);
  return startCloud({ runDir: await mkdtemp(join(tmpdir(), "exchanger-cloud-")), toolchain, progress });
}

/** Stops the cloud, if any suite asked for it, and removes its files; `keepLogs` leaves the logs and says where. */
export async function stopSharedCloud(keepLogs: boolean): Promise<void> {
  const cloud = await shared?.catch(() => undefined);
  shared = undefined;
  if (!cloud) return;
  await cloud.stop();
  if (keepLogs) process.stderr.write(`  cloud: logs are kept in ${cloud.logDir}\n`);
  else await rm(cloud.runDir, { recursive: true, force: true });
}
