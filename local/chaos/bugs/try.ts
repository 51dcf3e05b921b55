import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { PurgeQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { execa } from "execa";
import { buildArtifacts } from "../../../build.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import { globalStack } from "../../platform/global-stack.ts";
import { faults } from "../faults/index.ts";
import { workFolder } from "../judge/remains.ts";
import type { Witness } from "../judge/witness.ts";
import type { Violation } from "../invariants.ts";
import type { Lane, Outcome } from "../lane.ts";
import { parseRow } from "../rows.ts";
import { plant, type Bug } from "./index.ts";

export interface Tried {
  readonly outcome: Outcome;
  readonly violations: readonly Violation[];
  /** One of the violations shows this bug. */
  readonly caught: boolean;
}

/** What violates an invariant because of a bug does so for good; what is only late is there by then. */
const settlingMs = 8_000;

/** What the global stack deploys, and not the engine. */
const deployed = /^(processors|glue)\//;

/**
 * Runs a bug's row in a lane whose engine, Lambdas and record copy are for so long those of a project that has the bug.
 * What it leaves behind is its own: a run whose exchange has ended does not disturb the next one.
 */
export async function tryBug(bug: Bug, lane: Lane, witness: Witness): Promise<Tried> {
  const { cloud } = lane.platform;
  const deploys = bug.edits.some(({ file }) => deployed.test(file));
  const tree = await plant(bug);
  try {
    await lane.engine.stop();
    if (deploys) {
      await buildArtifacts({ root: tree.root });
      await deploy(cloud, join(tree.root, "dist"));
    }
    lane.engine.moveTo(tree.root);
    await lane.engine.start();
    const outcome = await lane.run(parseRow(bug.row, faults));
    const violations = await witness.judge(outcome, settlingMs);
    const shown = ({ invariant, what }: Violation) => bug.by.includes(invariant) && bug.shows.test(what);
    return { outcome, violations, caught: violations.some(shown) };
  } finally {
    await lane.engine.stop();
    lane.engine.moveTo();
    if (deploys) await deploy(cloud);
    await cleanUp(lane);
    await lane.engine.start();
    await tree.remove();
  }
}

/** Lambdas and record copy as they were built in a folder; those of this project without one. */
async function deploy(cloud: Cloud, artifacts?: string): Promise<void> {
  await execa("pulumi", ["up", "--yes", "--skip-preview", "--non-interactive", "-s", globalStack], {
    cwd: cloud.projectDir,
    env: { ...cloud.pulumiEnv("operator"), ...(artifacts !== undefined && { EXCHANGER_ARTIFACTS: artifacts }) },
    stdin: "ignore",
  });
}

/** Folders that the bug has left, and messages that would be held against the next run. */
async function cleanUp({ platform }: Lane): Promise<void> {
  const folder = workFolder(platform);
  const left = (await readdir(folder)).filter((name) => name !== ".compile-cache");
  await Promise.all(left.map((name) => rm(join(folder, name), { recursive: true, force: true })));
  const { orchestrationQueue, ledgerQueue, statusQueue, deadLetterQueue, parkedQueue } = platform.outputs;
  const sqs = new SQSClient(platform.cloud.client("operator"));
  for (const { url } of [orchestrationQueue, ledgerQueue, statusQueue, deadLetterQueue, parkedQueue]) {
    await sqs.send(new PurgeQueueCommand({ QueueUrl: url }));
  }
  sqs.destroy();
}
