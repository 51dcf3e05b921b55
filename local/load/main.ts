/**
 * `npm run load`: many exchanges at once on this machine, then the same resources by bare SDK calls as a yardstick.
 * Progress goes to stderr; the last line of stdout is one JSON object.
 */
import { parseArgs } from "node:util";
import { S3Client } from "@aws-sdk/client-s3";
import { createClient } from "../platform/client.ts";
import { display } from "../platform/display.ts";
import { PlatformInputError } from "../platform/errors.ts";
import { caseSchemaPrefix, defaultRunDir, startPlatform, type Platform } from "../platform/platform.ts";
import { explain, onInterrupt } from "../platform/terminal.ts";
import { makeDestinationCase } from "../samples/make.ts";
import { makeAndRemove } from "./bare.ts";
import { watchMemory, type Peak } from "./memory.ts";
import { measure, runTogether, type Measures, type Wanted } from "./together.ts";

/** Fewer than exchanges, so that several write to one case at the same time. */
const destinationCaseIds = [301, 302, 303, 304, 305];

const usage = `Usage: npm run load [-- --exchanges N]

Starts N exchanges at once (25 by default) of one source case into ${destinationCaseIds.length} destination cases, and waits until all have
ended. Then makes and removes the resources of N exchanges by bare SDK calls.

  --exchanges N  how many
  --help         show this text
`;

const stage = display();
const interrupt = onInterrupt();

try {
  const { values } = parseArgs({ options: { exchanges: { type: "string" }, help: { type: "boolean" } } });
  if (values.help) process.stdout.write(usage);
  else await load(countOf(values.exchanges ?? "25"));
} catch (error) {
  process.exitCode = explain(error, interrupt.signal);
}
interrupt.dispose();

function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new PlatformInputError("INVALID_COUNT", `--exchanges ${text} is no positive whole number`);
}

async function load(exchanges: number): Promise<void> {
  const { signal } = interrupt;
  const engineSettings = { EXCHANGER_MAX_LIVE_EXCHANGES: String(exchanges) };
  const platform = await startPlatform({ stage, signal, engineSettings });
  try {
    await stage(`${destinationCaseIds.length} destination cases`, () => makeDestinations(platform));
    const wanted = exchangesOf(platform, exchanges);
    const { measures, peak } = await stage(`${exchanges} exchanges at once`, async (progress) => {
      const memory = watchMemory(process.pid);
      try {
        const client = createClient(platform.engineUrl, await tokenFor(platform));
        const measures = measure(await runTogether(client, wanted, progress, signal));
        return { measures, peak: memory.peak() };
      } finally {
        memory.stop();
      }
    });
    const bareSdkSeconds = await stage("The same resources by bare SDK calls", () => makeAndRemove(platform, wanted));
    report(measures, peak);
    const { finished, secondsToInitiated, stacksPerMinute } = measures;
    const peakMemoryMiB = peak.total;
    process.stdout.write(
      `${JSON.stringify({ exchanges, finished, secondsToInitiated, stacksPerMinute, peakMemoryMiB, bareSdkSeconds })}\n`,
    );
    if (finished !== exchanges) process.exitCode = 1;
  } finally {
    await stage("Stopping everything", () => platform.stop());
  }
}

async function makeDestinations({ cloud }: Platform): Promise<void> {
  const s3 = new S3Client(cloud.client("platform"));
  const store = { database: cloud.database, s3, caseBucket: cloud.caseBucket, caseSchemaPrefix };
  try {
    for (const caseId of destinationCaseIds) await makeDestinationCase(store, caseId);
  } finally {
    s3.destroy();
  }
}

/** The same selection in each: batch and destination tell them apart. */
function exchangesOf({ cases }: Platform, count: number): Wanted[] {
  return Array.from({ length: count }, (_, index) => ({
    sourceCaseId: cases.sourceCaseId,
    destinationCaseId: destinationCaseIds[index % destinationCaseIds.length] ?? 0,
    batchId: `load-${index + 1}`,
    selection: cases.selection,
    includeNatives: true,
  }));
}

function tokenFor({ issuer }: Platform): Promise<string> {
  return issuer.token({ subject: "load", scopes: ["exchange:read", "exchange:write"], cases: "*" });
}

function report(measures: Measures, peak: Peak): void {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  for (const failure of measures.failures) say(`✖ ${failure}`);
  const { median, max } = measures.secondsToInitiated;
  say(`POST to EXCHANGER_INITIATED: median ${median} s, slowest ${max} s; all ended after ${measures.seconds} s.`);
  const shares = Object.entries(peak.shares).map(([part, mebibytes]) => `${part} ${mebibytes}`);
  say(`Most memory at once, in MiB: ${shares.join(", ")}; together ${peak.total}.`);
  say("Counted is the proportional set size of every process below this one, and its own.");
  say(`Logs of this run: ${defaultRunDir}/logs`);
}
