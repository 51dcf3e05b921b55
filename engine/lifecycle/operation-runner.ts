import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { Deployer } from "../deployer/deployer.ts";
import type { Job, Outcome } from "../deployer/protocol.ts";
import { exchangeStackName } from "../../contracts/names.ts";
import { planOf } from "../../contracts/plan.ts";
import { exchangeOutputs, type ExchangeStackConfig } from "../../programs/exchange/config.ts";
import type { GlobalOutputs } from "../../programs/global/outputs.ts";
import type { OperationWish } from "../exchange/decision.ts";
import type { ExchangeRecord } from "../exchange/record.ts";
import type { Registry } from "../registry/database.ts";
import { beat, end, intend, markRunning, type OperationEnd } from "../registry/operations.ts";

export interface OperationRunnerOptions {
  readonly db: Registry;
  readonly deployer: Deployer;
  readonly global: GlobalOutputs;
  /** URL of the module that exports `exchangeProgram`. */
  readonly program: string;
  readonly secretsProvider: string | undefined;
  readonly instance: string;
  readonly heartbeatSeconds: number;
  readonly log: Logger;
  /** Called when an operation has ended and its exchange is due. */
  readonly ended: () => void;
}

/** Runs operations apart from the loop that decides: intent first, then the process with a heartbeat, then the outcome. */
export class OperationRunner {
  readonly #options: OperationRunnerOptions;
  readonly #running = new Map<string, { run: Promise<void>; cancel: AbortController }>();

  constructor(options: OperationRunnerOptions) {
    this.#options = options;
  }

  /** Writes the intent and begins; comes back at once. An attempt that was begun before is not begun again. */
  async begin(record: ExchangeRecord, wish: OperationWish, attempt: number, recover: boolean): Promise<void> {
    const operation = { id: randomUUID(), exchangeId: record.id, kind: wish.kind, purpose: wish.purpose, attempt };
    if (!(await intend(this.#options.db, { ...operation, owner: this.#options.instance }))) return;
    const cancel = new AbortController();
    const run = this.#run(operation, this.#jobOf(record, wish, attempt, recover), cancel).finally(() => {
      this.#running.delete(operation.id);
      this.#options.ended();
    });
    this.#running.set(operation.id, { run, cancel });
  }

  /** Stops an operation of this process at once; another process's owner hears of it with its next heartbeat. */
  cancel(operationId: string): void {
    this.#running.get(operationId)?.cancel.abort();
  }

  cancelAll(): void {
    for (const { cancel } of this.#running.values()) cancel.abort();
  }

  /** Waits for what runs, and stops what takes longer than the grace. */
  async settle(graceSeconds: number): Promise<void> {
    const timer = setTimeout(() => {
      this.cancelAll();
    }, graceSeconds * 1000);
    await Promise.all([...this.#running.values()].map(({ run }) => run));
    clearTimeout(timer);
  }

  async #run(
    operation: { id: string; exchangeId: string; purpose: string },
    job: Job,
    cancel: AbortController,
  ): Promise<void> {
    const { db, deployer, log } = this.#options;
    const context = { exchangeId: operation.exchangeId, operationId: operation.id, purpose: operation.purpose };
    const heart = setInterval(() => void this.#beat(operation.id, cancel), this.#options.heartbeatSeconds * 1000);
    const since = performance.now();
    try {
      const outcome = await deployer.run(job, {
        label: operation.id,
        signal: cancel.signal,
        started: (pid) => markRunning(db, operation.id, pid),
      });
      const seconds = Math.round((performance.now() - since) / 100) / 10;
      log.info(
        { ...context, ok: outcome.ok, seconds, ...(!outcome.ok && { error: outcome.error }) },
        "operation ended",
      );
      await persistently(() => end(db, operation, endOf(job, outcome, cancel.signal.aborted)), log);
    } catch (error) {
      log.error({ ...context, err: error }, "operation could not be run");
      const message = error instanceof Error ? error.message : String(error);
      const failed = { code: "OPERATION_NOT_RUN", message, retryable: true };
      await persistently(() => end(db, operation, { state: "aborted", error: failed }), log);
    } finally {
      clearInterval(heart);
    }
  }

  async #beat(operationId: string, cancel: AbortController): Promise<void> {
    try {
      if ((await beat(this.#options.db, operationId)) === "stop") cancel.abort();
    } catch (error) {
      this.#options.log.warn({ operationId, err: error }, "a heartbeat was not written");
    }
  }

  #jobOf(record: ExchangeRecord, wish: OperationWish, attempt: number, recover: boolean): Job {
    const { global, program, secretsProvider } = this.#options;
    const stackName = exchangeStackName(record.id);
    if (wish.kind === "destroy") return { kind: "destroy", stackName, recover, secretsProvider };
    const config: ExchangeStackConfig = {
      exchange: record.context,
      plan: mutable(planOf(record.request)),
      phase: wish.phase,
      global,
    };
    const isNew = wish.purpose === "provision" && attempt === 1 && !recover;
    return { kind: "up", stackName, config, program, secretsProvider, isNew, recover };
  }
}

function mutable(plan: ReturnType<typeof planOf>): ExchangeStackConfig["plan"] {
  return { queues: [...plan.queues], processors: [...plan.processors] };
}

function endOf(job: Job, outcome: Outcome, stopped: boolean): OperationEnd {
  if (!outcome.ok) {
    // A process that died says nothing about the stack: the next attempt has to recover it.
    const died = outcome.error.code === "OPERATION_DIED";
    const cancelled = outcome.cancelled || (died && stopped);
    return { state: cancelled ? "cancelled" : died ? "aborted" : "failed", error: outcome.error };
  }
  return { state: "succeeded", outputs: job.kind === "up" ? exchangeOutputs.parse(outcome.outputs) : null };
}

/**
 * An outcome that is not written would leave its exchange waiting: short absences of the registry are sat out. After a
 * long one the operation falls silent and is taken for abandoned.
 */
async function persistently(write: () => Promise<void>, log: Logger): Promise<void> {
  for (let attempt = 1; attempt <= 10; attempt++) {
    try {
      await write();
      return;
    } catch (error) {
      log.warn({ err: error, attempt }, "an outcome was not written");
      await new Promise((resolve) => setTimeout(resolve, 500 * attempt));
    }
  }
}
