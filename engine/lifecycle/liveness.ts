import { thisMachine, type ProcessTable } from "../deployer/process-table.ts";
import type { Operation } from "../exchange/record.ts";

/**
 * Whether an operation's owner is dead. Its silence of two leases says so, unless the operation's own process is seen
 * to live on this machine; a dead owner on this machine is known at once. Whoever decides this may free the stack's
 * lock: the process of an operation ends by itself when its owner is gone, and carries the operation's id on its
 * command line, so that a process id that is used again deceives nobody.
 */
export function isAbandoned(
  operation: Operation,
  now: Date,
  here: { readonly instance: string; readonly leaseSeconds: number },
  processes: ProcessTable = thisMachine,
): boolean {
  if (operation.state !== "queued" && operation.state !== "running") return false;
  const silentSeconds = (now.getTime() - operation.heartbeatAt.getTime()) / 1000;
  const silent = silentSeconds > 2 * here.leaseSeconds;
  if (hostOf(operation.owner) !== hostOf(here.instance)) return silent;
  const runs = operation.pid !== null && processes.commandOf(operation.pid)?.includes(operation.id) === true;
  if (runs) return false;
  return silent || isDeadHere(operation.owner, here.instance, processes);
}

/**
 * Whether an engine of this machine runs no more. `owner` is its instance (`host/pid/nonce`), or a name that begins
 * with it; of an engine elsewhere nothing is known.
 */
export function isDeadHere(owner: string, instance: string, processes: ProcessTable = thisMachine): boolean {
  if (hostOf(owner) !== hostOf(instance)) return false;
  const pid = Number(owner.split("/")[1]);
  const reused = pid === process.pid && !owner.startsWith(instance);
  return reused || processes.commandOf(pid) === undefined;
}

function hostOf(owner: string): string | undefined {
  return owner.split("/")[0];
}
