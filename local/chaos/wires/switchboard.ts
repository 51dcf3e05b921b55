/** What a wire has recognised in a request, before it is numbered. */
export interface Seen {
  readonly wire: "aws" | "sql" | "api";
  /** What the request does, in words that are the same in every run. */
  readonly label: string;
  /** False for what only reads. */
  readonly mutates: boolean;
  /** Repeats as time passes (polls, heartbeats), so that only its first occurrence names a moment. */
  readonly periodic: boolean;
}

/** One request of a run: `label` and `occurrence` together are its name, also in another run. */
export interface Call extends Seen {
  /** How often this label has come in this run, from 1. */
  readonly occurrence: number;
  /** The how manieth request that changes something since the last misfortune, from 1; 0 where it only reads. */
  readonly nth: number;
}

/** `before`: the request has reached the wire and goes no further. `after`: its answer has, and is not passed back. */
export type Moment = "before" | "after";

/** What becomes of a request, or of its answer. */
export type Verdict =
  | { readonly do: "pass" }
  /** The connection ends without an answer. */
  | { readonly do: "cut" }
  /** On HTTP only: this is answered instead. */
  | { readonly do: "answer"; readonly status: number; readonly headers: Record<string, string>; readonly body: string };

/** Asked about each request, twice; nothing (or `undefined`) leaves it alone. It may take its time: the request waits. */
export type Interceptor = (call: Call, moment: Moment) => Verdict | undefined | Promise<Verdict | undefined>;

const pass: Verdict = { do: "pass" };

/** Where the wires meet: numbers every request of a run, and asks the interceptors what becomes of it. */
export class Switchboard {
  readonly #interceptors = new Set<Interceptor>();
  #calls: Call[] = [];
  #counts = new Map<string, number>();
  #mutations = 0;

  /** Every request of this run, in the order in which they came. */
  get calls(): readonly Call[] {
    return this.#calls;
  }

  /** A new run begins: nothing has been seen. */
  reset(): void {
    this.#calls = [];
    this.#counts = new Map();
    this.#mutations = 0;
  }

  /** A misfortune has happened: `nth` counts from 1 again. */
  countAnew(): void {
    this.#mutations = 0;
  }

  /** Asks `interceptor` about every request from now on; call the result to end that. */
  intercept(interceptor: Interceptor): () => void {
    this.#interceptors.add(interceptor);
    return () => void this.#interceptors.delete(interceptor);
  }

  number(seen: Seen): Call {
    const occurrence = (this.#counts.get(seen.label) ?? 0) + 1;
    this.#counts.set(seen.label, occurrence);
    if (seen.mutates) this.#mutations++;
    const call = { ...seen, occurrence, nth: seen.mutates ? this.#mutations : 0 };
    this.#calls.push(call);
    return call;
  }

  /** The first interceptor that wants something else than to pass it on decides. */
  async decide(call: Call, moment: Moment): Promise<Verdict> {
    for (const interceptor of [...this.#interceptors]) {
      const verdict = await interceptor(call, moment);
      if (verdict && verdict.do !== "pass") return verdict;
    }
    return pass;
  }
}
