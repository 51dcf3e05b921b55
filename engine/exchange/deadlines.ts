import type { ExchangeState, FinalState } from "../../contracts/states.ts";

export type LivingState = Exclude<ExchangeState, FinalState>;

/**
 * How long an exchange may stay in a state, in minutes, unless configured otherwise. Past it the state's own paragraph
 * in `decide.ts` says what happens; no state is left waiting for ever in silence.
 */
export const defaultDeadlineMinutes = {
  ACCEPTED: 24 * 60,
  PROVISIONING: 30,
  STARTING: 60,
  COPYING_RECORDS: 8 * 60,
  CONSTRUCTING_PAYLOAD: 2 * 60,
  PROCESSING: 24 * 60,
  DRAINING: 2 * 60,
  FAILING: 60,
  CANCELLING: 60,
  DESTROYING: 60,
} as const satisfies Record<LivingState, number>;

export type Deadlines = Record<LivingState, number>;
