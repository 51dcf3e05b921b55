/** The states of an exchange in the order of a good life, then those of a bad one. */
export const exchangeStates = [
  "ACCEPTED",
  "PROVISIONING",
  "STARTING",
  "COPYING_RECORDS",
  "CONSTRUCTING_PAYLOAD",
  "PROCESSING",
  "DRAINING",
  "FAILING",
  "CANCELLING",
  "DESTROYING",
  "FINISHED",
  "FAILED",
  "CANCELLED",
] as const;
export type ExchangeState = (typeof exchangeStates)[number];

/** The states that end an exchange. */
export const finalStates = ["FINISHED", "FAILED", "CANCELLED"] as const satisfies readonly ExchangeState[];
export type FinalState = (typeof finalStates)[number];

export function isFinal(state: ExchangeState): state is FinalState {
  return (finalStates as readonly ExchangeState[]).includes(state);
}
