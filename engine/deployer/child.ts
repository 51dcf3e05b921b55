/**
 * One Pulumi operation in a process of its own: its folder is the first argument, the seconds in which its order has to
 * come the second; the order comes by IPC, the outcome goes back the same way.
 */
import { execa } from "execa";
import { z } from "zod";
import type { EngineEvent } from "@pulumi/pulumi/automation/events.js";
import { LocalWorkspace } from "@pulumi/pulumi/automation/localWorkspace.js";
import { output } from "@pulumi/pulumi/output.js";
import { Stack } from "@pulumi/pulumi/automation/stack.js";
import type { PulumiFn } from "@pulumi/pulumi/automation/workspace.js";
import type { ExchangeStackConfig } from "../../programs/exchange/config.ts";
import { classify, type Diagnostic } from "./errors.ts";
import { removeFolder } from "./folders.ts";
import { projectName, type Job, type Outcome } from "./protocol.ts";

const stop = new AbortController();
const diagnostics: Diagnostic[] = [];

/** The operations' options: events are read for their diagnostics, an abort becomes one SIGINT to the CLI. */
const options = { onEvent: collect, signal: stop.signal, color: "never" as const };

const [workDir, orderSeconds] = z.tuple([z.string(), z.coerce.number()]).parse(process.argv.slice(2, 4));
let ordered = false;
// A parent that stands still gives no order, and whoever takes over from it waits for this process to end. One that
// went while this process began is not waited for.
const patience = setTimeout(() => {
  process.disconnect();
}, orderSeconds * 1000).unref();
// A configuration never stands on a command line.
process.once("message", (job: Job) => {
  ordered = true;
  clearTimeout(patience);
  void carryOut(job);
});
// A parent that is gone must not leave a stack half changed by nobody: stop as on a signal, and let go of the lock.
for (const event of ["disconnect", "SIGINT", "SIGTERM"])
  process.on(event, () => {
    stop.abort();
  });
// One that is gone before it gave the order gives none any more, and nobody else removes the folder of who still runs.
process.once("disconnect", () => {
  if (!ordered) void removeFolder(workDir, process.env);
});

async function carryOut(job: Job): Promise<void> {
  const outcome = await attempt(job);
  await removeFolder(workDir, process.env);
  if (process.connected) await new Promise((sent) => process.send?.(outcome, sent));
  process.exit(0);
}

async function attempt(job: Job): Promise<Outcome> {
  try {
    stop.signal.throwIfAborted();
    return { ok: true, outputs: await perform(job) };
  } catch (error) {
    return { ok: false, cancelled: stop.signal.aborted, error: classify(diagnostics, error) };
  }
}

async function perform(job: Job): Promise<Record<string, unknown> | null> {
  const told: { outputs: Record<string, unknown> } = { outputs: {} };
  const workspace = await LocalWorkspace.create({
    workDir,
    projectSettings: { name: projectName, runtime: "nodejs" },
    ...(job.kind === "up" && { program: await programOf(job, told) }),
    ...(job.secretsProvider !== undefined && { secretsProvider: job.secretsProvider }),
  });
  if (job.kind === "outputs") {
    const outputs = await (await Stack.select(job.stackName, workspace)).outputs();
    return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
  }
  if (job.kind === "destroy") {
    await destroy(job, workspace);
    return null;
  }
  const stack = await selectOrCreate(job, workspace);
  stop.signal.throwIfAborted();
  await sparing(stack).up(options);
  return told.outputs;
}

/**
 * Destroys a stack and removes it. One that does not exist was never made, or was removed by us or by an operator: whoever
 * died in the middle of that has left its history, its backups and its lock, which only go with a stack of that name. So
 * it is made again, empty.
 */
async function destroy(job: Job, workspace: LocalWorkspace): Promise<void> {
  const stack = await selectIfAny(job, workspace);
  if (stack) {
    stop.signal.throwIfAborted();
    await sparing(stack).destroy(options);
    await removeStack(job.stackName, workspace);
    return;
  }
  await createDespiteLock(job.stackName, workspace);
  await removeStack(job.stackName, workspace);
}

/** After each operation the SDK runs the CLI three times more, for outputs and history that nobody here reads. */
function sparing(stack: Stack): Stack {
  stack.outputs = () => Promise.resolve({});
  stack.info = () => Promise.resolve(undefined);
  return stack;
}

/** A stack that should be new is created without asking for it first; each question is a run of the CLI. */
async function selectOrCreate(job: Extract<Job, { kind: "up" }>, workspace: LocalWorkspace): Promise<Stack> {
  const found = job.isNew ? null : await selectIfAny(job, workspace);
  if (found) return found;
  if (job.recover) return createDespiteLock(job.stackName, workspace);
  try {
    return await Stack.create(job.stackName, workspace);
  } catch (error) {
    if (isNamed(error, "StackAlreadyExistsError")) return Stack.select(job.stackName, workspace);
    throw error;
  }
}

/** Who died while making a stack may have left its lock and no stack. */
async function createDespiteLock(stackName: string, workspace: LocalWorkspace): Promise<Stack> {
  try {
    return await Stack.create(stackName, workspace);
  } catch (error) {
    if (!isNamed(error, "ConcurrentUpdateError")) throw error;
  }
  // No stack can be made under a lock, and no lock be freed without its stack; but a stack can be renamed into it.
  const spare = `${stackName}-spare`;
  await Stack.createOrSelect(spare, workspace);
  await pulumi(workspace, "stack", "rename", "--stack", spare, stackName);
  const stack = await Stack.select(stackName, workspace);
  await stack.cancel();
  // The renaming leaves a backup under the old name.
  await Stack.create(spare, workspace);
  await removeStack(spare, workspace);
  return stack;
}

/** The SDK's own call leaves the stack's backup in the backend. */
function removeStack(stackName: string, workspace: LocalWorkspace): Promise<void> {
  return pulumi(workspace, "stack", "rm", "--yes", "--remove-backups", stackName);
}

async function pulumi({ workDir: cwd }: LocalWorkspace, ...args: string[]): Promise<void> {
  await execa("pulumi", [...args, "--non-interactive"], { cwd });
}

/** Whoever gave this order has proved that no process runs the stack, so its lock protects nothing. */
async function recover(stack: Stack): Promise<void> {
  await stack.cancel();
  await stack.refresh({ ...options, clearPendingCreates: true });
}

/** The stack, recovered where that was ordered; null where there is none. */
async function selectIfAny(job: Job, workspace: LocalWorkspace): Promise<Stack | null> {
  try {
    const stack = await Stack.select(job.stackName, workspace);
    if (job.recover) await recover(stack);
    return stack;
  } catch (error) {
    if (isNamed(error, "StackNotFoundError")) return null;
    throw error;
  }
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}

/** The program, which tells its outputs when they are known. */
async function programOf(
  job: Extract<Job, { kind: "up" }>,
  told: { outputs: Record<string, unknown> },
): Promise<PulumiFn> {
  const module = (await import(job.program)) as {
    exchangeProgram: (config: ExchangeStackConfig) => Record<string, unknown> | Promise<Record<string, unknown>>;
  };
  return async () => {
    const outputs = await module.exchangeProgram(job.config);
    output(outputs).apply((known) => {
      told.outputs = known;
    });
    return outputs;
  };
}

function collect({ diagnosticEvent }: EngineEvent): void {
  if (diagnosticEvent?.severity !== "error") return;
  const message = diagnosticEvent.message.replaceAll(/<\{%[^%]*%\}>/g, "").trim();
  // The engine ends with a line that only says that something failed.
  if (message === "" || /^(update|destroy) failed$/.test(message)) return;
  diagnostics.push({ urn: diagnosticEvent.urn ?? null, message });
}
