import PQueue from "p-queue";
import type { Logger } from "pino";
import { PermanentError, toExchangerError } from "../../contracts/errors.ts";
import { isFinal } from "../../contracts/states.ts";
import { decide, decideOnError, type Interruption } from "../exchange/decide.ts";
import { fail, type Decision, type Settings } from "../exchange/decision.ts";
import type { ExchangeRecord, Operation } from "../exchange/record.ts";
import { admit } from "../registry/admission.ts";
import { wakeAll } from "../registry/exchanges.ts";
import { claimDue, LeaseLost, type Lease } from "../registry/lease.ts";
import { act, type Hands } from "./act.ts";
import { isDeadHere } from "./liveness.ts";
import { known, observe, type Eyes } from "./observe.ts";

export interface WorkerOptions {
  readonly eyes: Eyes;
  readonly hands: Hands;
  readonly settings: Settings;
  readonly maxLiveExchanges: number;
  /** Called when a state has changed: there may be something to publish. */
  readonly moved: () => void;
  readonly log: Logger;
}

/** What to do instead of what threw; null: try again later. */
type OnError = (thrown: unknown, during: Interruption["during"]) => Decision | null;

/** Exchanges that one engine looks at at once; a look is short, since operations run elsewhere. */
const concurrency = 8;
/** Decisions in a row under one lease; more would be a circle. */
const maxSteps = 25;

/** The loop that drives exchanges: claim what is due, look, decide, act, until there is something to wait for. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #looks = new PQueue({ concurrency });
  /** Another engine looks every poll, and so has a dead one's exchange within the lease that is configured. */
  readonly #heldSeconds: number;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#heldSeconds = options.eyes.leaseSeconds - options.settings.pollSeconds;
  }

  start(): void {
    const { pollSeconds } = this.#options.settings;
    this.#timer = setInterval(() => {
      this.nudge();
    }, pollSeconds * 1000);
    this.nudge();
  }

  /** Looks once at everything that is not ended, as if all of it were due. */
  async reconcile(): Promise<void> {
    await wakeAll(this.#options.eyes.db);
    for (let claimed = concurrency; claimed === concurrency;) {
      claimed = await this.#claim();
      await this.#looks.onIdle();
    }
  }

  /** Something is due: look now rather than at the next poll. */
  nudge(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#turn ??= this.#turns().finally(() => {
      this.#turn = undefined;
    });
  }

  /** Takes no new exchange and waits for the looks under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#turn;
    await this.#looks.onIdle();
  }

  async #turns(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        await this.#claim();
      } catch (error) {
        this.#options.log.error({ err: error }, "the registry could not be asked for work");
      }
    }
  }

  /** Begins a look at each exchange that is due and for which there is a place; returns how many. */
  async #claim(): Promise<number> {
    const { eyes, maxLiveExchanges, log } = this.#options;
    for (const exchangeId of await admit(eyes.db, maxLiveExchanges)) log.info({ exchangeId }, "exchange admitted");
    const free = concurrency - this.#looks.pending - this.#looks.size;
    if (free <= 0) return 0;
    const leases = await claimDue(eyes.db, {
      instance: eyes.instance,
      seconds: this.#heldSeconds,
      limit: free,
      isDead: (holder) => isDeadHere(holder, eyes.instance),
    });
    for (const lease of leases) {
      void this.#looks
        .add(() => this.#look(lease))
        .then(() => {
          // When every place was taken, more may be due than was claimed.
          if (leases.length === free) this.nudge();
        });
    }
    return leases.length;
  }

  async #look(lease: Lease): Promise<void> {
    const { log } = this.#options;
    const heart = setInterval(
      () => {
        lease.prolong().catch((error: unknown) => {
          log.warn({ exchangeId: lease.exchangeId, err: error }, "a lease was not prolonged");
        });
      },
      (this.#heldSeconds * 1000) / 3,
    );
    try {
      await this.#drive(lease);
    } catch (error) {
      await this.#putOff(lease, error);
    } finally {
      clearInterval(heart);
    }
  }

  async #drive(lease: Lease): Promise<void> {
    const { eyes, settings, log } = this.#options;
    for (let step = 0; step < maxSteps && !this.#stopped; step++) {
      const { record, operations, now } = await lease.read();
      const onError = (thrown: unknown, during: Interruption["during"]): Decision | null =>
        decideOnError(record, known(operations, now, eyes), now, settings, {
          error: toExchangerError(thrown).toWire(),
          during,
        });
      const decision = await this.#decide(record, operations, now, onError);
      const context = { ...record.context, state: record.state, action: decision.action.do };
      if (decision.action.do === "wait") {
        if (decision.reason !== record.waiting && !isFinal(record.state)) log.info(context, decision.reason);
        await lease.release(decision.action.seconds, isFinal(record.state) ? null : decision.reason);
        return;
      }
      log.info(context, decision.reason);
      const { action, reason, pauseSeconds } = await this.#act(decision, record, now, lease, onError);
      if (action.do === "move") this.#options.moved();
      const seconds = action.do === "wait" ? action.seconds : pauseSeconds;
      if (seconds !== undefined) {
        await lease.release(seconds, reason);
        return;
      }
    }
    await lease.release(0, null);
  }

  /** What cannot be observed past the state's deadline ends the state; before it, the error is the caller's. */
  async #decide(
    record: ExchangeRecord,
    operations: readonly Operation[],
    now: Date,
    onError: OnError,
  ): Promise<Decision> {
    const { eyes, settings } = this.#options;
    try {
      return decide(record, await observe(record, operations, now, eyes), now, settings);
    } catch (error) {
      const decision = error instanceof LeaseLost ? null : onError(error, "observation");
      if (decision) return decision;
      throw error;
    }
  }

  /**
   * Carries out a decision; answers the one that was carried out. What can never succeed fails the exchange, and so does what
   * fails past the state's deadline; what may pass is put off by the caller.
   */
  async #act(decision: Decision, record: ExchangeRecord, now: Date, lease: Lease, onError: OnError): Promise<Decision> {
    const { hands, log } = this.#options;
    try {
      await act(decision, record, now, lease, hands);
      return decision;
    } catch (error) {
      const ending = ["FAILING", "CANCELLING", "DESTROYING"].includes(record.state);
      const isHopeless = error instanceof PermanentError && !ending;
      const instead =
        error instanceof LeaseLost ? null : isHopeless ? fail(error.toWire()) : onError(error, decision.action.do);
      if (!instead) throw error;
      log.warn({ ...record.context, err: error, action: instead.action.do }, instead.reason);
      await act(instead, record, now, lease, hands);
      return instead;
    }
  }

  async #putOff(lease: Lease, thrown: unknown): Promise<void> {
    const { log, settings } = this.#options;
    const error = toExchangerError(thrown);
    const context = { exchangeId: lease.exchangeId, err: thrown };
    if (error instanceof LeaseLost) {
      log.warn(context, "the lease was lost; whoever holds it now goes on");
      return;
    }
    log.warn(context, "an exchange could not be driven: again soon");
    try {
      await lease.release(Math.max(5, settings.pollSeconds), `${error.code}: ${error.message}`);
    } catch (failure) {
      log.warn({ exchangeId: lease.exchangeId, err: failure }, "a lease was not given back; it runs out");
    }
  }
}
