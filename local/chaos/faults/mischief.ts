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
  readonly killFunction?: { readonly prefix: string; readonly call: string; readonly occurrence: number };
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

const victims: readonly (readonly [string, string, number, string])[] = [
  ["s3_copy_lambda", "s3:PutObject", 3, "when it has copied some files"],
  ["s3_copy_lambda", "sns:Publish", 3, "when it has told of some files"],
  ["s3_copy_lambda", "sqs:SendMessage", 2, "when it has handed on some files"],
  ["s3_copy_lambda", "answer", 1, "when all of a batch is done"],
  ["payload", "answer", 1, "when every message of a part is sent"],
  ["ledger", "answer", 1, "when a batch is in the ledger"],
  ["status_update", "answer", 1, "when the status is written"],
];

/** Functions that die in mid-batch; AWS FIS has no more than `invocation-error`, before or instead of the work. */
export const deadFunctions: readonly Fault[] = victims.map(([name, call, occurrence, when]) =>
  fault(
    `Lambda killed: ${name} at ${call} ${occurrence}`,
    `the process of ${name} is killed ${when}`,
    `${call}#${occurrence}`,
    {
      killFunction: { prefix: `${resourcePrefix}${name}`, call, occurrence },
    },
  ),
);

function fault(name: string, what: string, at: string, mischief: Mischief): Fault {
  return { name, what, at, begin: ({ cloud }) => beginMischief(cloud, mischief) };
}
