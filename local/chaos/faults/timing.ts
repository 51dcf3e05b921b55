import type { Call } from "../wires/switchboard.ts";

/** A moment at which a fault strikes: the n-th request of a name. */
export interface Trigger {
  readonly label: RegExp;
  readonly occurrence?: number;
}

/** Tells, request by request, when the moment has come; once. */
export function trigger({ label, occurrence = 1 }: Trigger): (call: Call) => boolean {
  let seen = 0;
  return (call) => label.test(call.label) && ++seen === occurrence;
}

/** Every `step`-th of the calls that it is asked about, beginning with the second. */
export function every(step: number): () => boolean {
  let seen = 0;
  return () => seen++ % step === 1;
}
