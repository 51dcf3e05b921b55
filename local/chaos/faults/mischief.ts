import { readFile, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { resourcePrefix } from "../../../contracts/names.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { Fault, Struck } from "../scenario.ts";

/** What the emulator reads from `mischief.json`; see `local/cloud/emulator/mischief.py`. */
export interface Mischief {
  readonly duplicates?: true;
  readonly reorder?: number;
  readonly counterLagSeconds?: number;
  readonly refusedEntries?: number;
  readonly function?: {
    readonly prefix: string;
    /** An IAM action, `begin`, or `answer`. */
    readonly call: string;
    readonly occurrence: number;
    readonly does: "die" | "pause" | "refused";
    readonly seconds?: number;
    /** The same is done each time the function makes that call on that resource again. */
    readonly always?: true;
  };
}

/** Lets the emulator do it until the result's `end`. */
export async function beginMischief({ runDir }: Pick<Cloud, "runDir">, mischief: Mischief): Promise<Struck> {
  const [settings, log] = [join(runDir, "mischief.json"), join(runDir, "mischief.log")];
  const before = (await readFile(log).catch(() => Buffer.of())).length;
  await writeFile(settings, JSON.stringify(mischief));
  return {
    struck: () => {
      try {
        return readFileSync(log).length > before;
      } catch {
        return false;
      }
    },
    end: () => rm(settings, { force: true }),
  };
}

const lagSeconds = 2;

/** What SQS does not promise to leave out. */
export const deliveries: readonly Fault[] = [
  fault("duplicate deliveries", "every message is delivered once more after its deletion", "every queue", {
    duplicates: true,
  }),
  fault("reordered deliveries", "messages are delivered in any order", "every queue", { reorder: 7 }),
  fault("duplicate and reordered deliveries", "both at once", "every queue", { duplicates: true, reorder: 8 }),
  {
    ...fault("delayed counters", `queues show the depths of ${lagSeconds} s ago`, "every queue", {
      counterLagSeconds: lagSeconds,
    }),
    // The settling time has to be longer than counters lag, as it is on AWS.
    settings: { EXCHANGER_SETTLING_SECONDS: String(lagSeconds + 1) },
  },
];

/** A unit of which nothing is heard so long is given up: what a fault has lost for good shows soon. */
const patient = { EXCHANGER_DEADLINE_PROCESSING_MINUTES: "1.5" };

const victims: readonly (readonly [string, string, number, string])[] = [
  ["s3_copy_lambda", "s3:PutObject", 3, "when it has copied some files"],
  ["s3_copy_lambda", "sns:Publish", 3, "when it has told of some files"],
  ["s3_copy_lambda", "sqs:SendMessage", 2, "when it has handed on some files"],
  ["s3_copy_lambda", "answer", 1, "when all of a batch is done"],
  ["payload", "answer", 1, "when every message of a part is sent"],
  ["ledger", "answer", 1, "when a batch is in the ledger"],
  ["status", "answer", 1, "when the status is written"],
];

/** What is written is there the next time, so that only what is read can kill each time. */
const poisons = [
  ["s3:PutObject", "refused"],
  ["s3:GetObject", "die"],
] as const;

/** Functions that die, stand still or are refused in mid-batch; AWS FIS has no more than errors before or instead of the work. */
export const functions: readonly Fault[] = [
  ...victims.map(([name, call, occurrence, when]) => ({
    ...fault(
      `Lambda killed: ${name} at ${call} ${occurrence}`,
      `its process is killed ${when}`,
      `${call}#${occurrence}`,
      {
        function: { prefix: `${resourcePrefix}${name}`, call, occurrence, does: "die" },
      },
    ),
    settings: patient,
  })),
  ...["s3:PutObject", "sns:Publish", "sqs:SendMessage"].map((call) => ({
    ...fault(`Lambda refused: s3_copy_lambda at ${call}`, "a call of it is denied once", `${call}#2`, {
      function: { prefix: `${resourcePrefix}s3_copy_lambda`, call, occurrence: 2, does: "refused" },
    }),
    settings: patient,
  })),
  ...poisons.map(([call, does]) => ({
    ...fault(
      `poison message: s3_copy_lambda ${does === "die" ? "dies" : "is refused"} each time at one file's ${call}`,
      "the message is given up when it has come often enough, and the file is told as failed",
      `${call}#5`,
      { function: { prefix: `${resourcePrefix}s3_copy_lambda`, call, occurrence: 5, does, always: true } },
    ),
    costs: 1,
  })),
  {
    ...fault("batch sends refused in part", "entries of the first batches are answered as failed", "SendMessageBatch", {
      refusedEntries: 3,
    }),
    settings: patient,
  },
  {
    ...fault(
      "aws:lambda:invocation-add-delay past the deadline",
      "the last copies hang until their units are given up",
      "s3:PutObject#28",
      {
        function: {
          prefix: `${resourcePrefix}s3_copy_lambda`,
          call: "s3:PutObject",
          occurrence: 28,
          does: "pause",
          seconds: 50,
        },
      },
    ),
    settings: { EXCHANGER_DEADLINE_PROCESSING_MINUTES: "0.15" },
  },
  fault("aws:lambda:invocation-add-delay of the ledger", "some outcomes are written late", "begin#2", {
    function: { prefix: `${resourcePrefix}ledger`, call: "begin", occurrence: 2, does: "pause", seconds: 40 },
  }),
];

function fault(name: string, what: string, at: string, mischief: Mischief): Fault {
  return { name, what, at, begin: ({ cloud }) => beginMischief(cloud, mischief) };
}
