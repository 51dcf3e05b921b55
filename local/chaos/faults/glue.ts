import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { databaseSecret } from "../../../contracts/secrets.ts";
import { signal } from "../processes.ts";
import type { Fault, Struck, Surroundings } from "../scenario.ts";
import { openSqlWire } from "../wires/sql-wire.ts";
import { Switchboard, type Verdict } from "../wires/switchboard.ts";

const cut: Verdict = { do: "cut" };

/**
 * Of a hundred and six: tables of its own, selection, shifted ids, merged names, first rows, rows that hang on them, the
 * last ones, the end.
 */
const commits = [2, 18, 30, 60, 89, 96, 100, 106];

/** The record copy dies when something has just been committed, and nobody hears of it. */
export const deadCopies: readonly Fault[] = commits.map((commit) => ({
  name: `Glue run killed after commit ${commit}`,
  what: "driver and workers of the record copy are killed between a commit and its answer",
  at: `commit ${commit}`,
  begin: (surroundings) =>
    atCommit(surroundings, commit, () => {
      killRuns(surroundings.cloud.runDir);
      return cut;
    }),
}));

const holdMs = 20_000;

/** A copy that stands still at one of its changes; whoever does not want it any more has to stop it. */
export const slowCopy: Fault = {
  name: "record copy stands still",
  what: `one of its commits is answered after ${holdMs / 1000} s`,
  at: "commit 6",
  begin: (surroundings) => standStill(surroundings, 6),
};

/** A copy that is not wanted any more when it has written a part: that has to go again. */
export const unwantedCopies: readonly Fault[] = [2, 60, 89, 100].map((commit) => ({
  name: `cancelled after commit ${commit} of the record copy`,
  what: "the caller asks for the cancellation while records are copied",
  at: `commit ${commit}`,
  ends: ["CANCELLED"],
  begin: (surroundings) => standStill(surroundings, commit, surroundings.cancel),
}));

async function standStill(surroundings: Surroundings, commit: number, meanwhile?: () => void): Promise<Struck> {
  const over = new AbortController();
  const { struck, end } = await atCommit(surroundings, commit, async () => {
    meanwhile?.();
    await delay(holdMs, undefined, { signal: over.signal }).catch(() => undefined);
    return { do: "pass" };
  });
  return {
    struck,
    end: async () => {
      over.abort();
      await end();
    },
  };
}

/** Puts a wire between the record copy and its database, and does something when one of the changes is answered. */
export async function atCommit(
  { cloud, outputs }: Surroundings,
  commit: number,
  strike: () => Verdict | Promise<Verdict>,
): Promise<Struck> {
  const switchboard = new Switchboard();
  const wire = await openSqlWire({ switchboard, target: () => cloud.database });
  const secrets = new SecretsManagerClient(cloud.client("operator"));
  const SecretId = outputs.caseDatabaseSecretArn;
  const { SecretString = "" } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  const login = { ...databaseSecret.parse(JSON.parse(SecretString)), port: wire.port };
  await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(login) }));
  let struck = false;
  switchboard.intercept((call, moment) => {
    if (struck || moment !== "after" || call.nth !== commit) return undefined;
    struck = true;
    return strike();
  });
  return {
    struck: () => struck,
    end: async () => {
      await secrets.send(new PutSecretValueCommand({ SecretId, SecretString }));
      secrets.destroy();
      await wire.close();
    },
  };
}

/** Kills every process that works in the folder of a Glue run. */
function killRuns(runDir: string): void {
  const runs = `${join(runDir, "glue")}/`;
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    if (`${folderOf(name)}/`.startsWith(runs)) signal(Number(name), "SIGKILL");
  }
}

function folderOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // It ended meanwhile.
    return "";
  }
}
