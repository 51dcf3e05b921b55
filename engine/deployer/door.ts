import { setTimeout as delay } from "node:timers/promises";
import PQueue from "p-queue";

export interface DoorOptions {
  /** How many may pass in a minute: AWS takes 15 calls a second to change Lambdas, from a whole account and Region. */
  readonly perMinute: number;
  /** What one operation takes at most, its CLI and its provider included. */
  readonly operationMiB: number;
  /** Memory that is free on this machine or in its container; by default as the system says. */
  readonly availableMiB?: () => number;
  readonly now?: () => number;
}

/** So long an operation may take to reach its full size: until then its memory is held free for it. */
const growthMs = 10_000;
const lookAgainMs = 500;

/** Lets operations begin one after the other, at a bounded rate, while there is memory for one more. */
export class Door {
  readonly #turns: PQueue;
  readonly #operationMiB: number;
  readonly #availableMiB: () => number;
  readonly #now: () => number;
  /** When each of those that are inside came in. */
  readonly #inside = new Map<symbol, number>();

  constructor({ perMinute, operationMiB, availableMiB, now }: DoorOptions) {
    this.#turns = new PQueue({ concurrency: 1, intervalCap: 1, interval: Math.ceil(60_000 / perMinute), strict: true });
    this.#operationMiB = operationMiB;
    this.#availableMiB = availableMiB ?? (() => process.availableMemory() / 2 ** 20);
    this.#now = now ?? (() => performance.now());
  }

  get inside(): number {
    return this.#inside.size;
  }

  /** Waits for its turn and for memory, then runs `work`; null without having begun once `signal` is aborted. */
  async through<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T | null> {
    const place = Symbol();
    await this.#turns.add(async () => {
      while (signal?.aborted !== true && !this.#fits()) await delay(lookAgainMs);
      if (signal?.aborted !== true) this.#inside.set(place, this.#now());
    });
    if (!this.#inside.has(place)) return null;
    try {
      return await work();
    } finally {
      this.#inside.delete(place);
    }
  }

  /** One alone always fits: an operation that fails for want of memory says more than one that never begins. */
  #fits(): boolean {
    if (this.#inside.size === 0) return true;
    const growing = [...this.#inside.values()].filter((since) => this.#now() - since < growthMs).length;
    return this.#availableMiB() >= (growing + 1) * this.#operationMiB;
  }
}
