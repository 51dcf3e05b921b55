import { expect } from "chai";
import type { ExchangeState } from "../../contracts/states.ts";
import { decideOnError, type Interruption } from "../../engine/exchange/decide.ts";
import { defaultDeadlineMinutes } from "../../engine/exchange/deadlines.ts";
import type { Action } from "../../engine/exchange/decision.ts";
import type { Facts, Operation } from "../../engine/exchange/record.ts";
import { ago, deadline, late, now, operation, outputs, provisioning, record, settings } from "./decide-kit.ts";

const error = { code: "ACCESS_DENIED", message: "no" };
type Living = keyof typeof defaultDeadlineMinutes;
const living = Object.keys(defaultDeadlineMinutes) as Living[];
const ending: readonly ExchangeState[] = ["FAILING", "CANCELLING", "DESTROYING"];

function decided(
  state: ExchangeState,
  more: {
    facts?: Partial<Facts>;
    seconds?: number;
    operations?: Operation[];
    abandoned?: string[];
    during?: Interruption["during"];
  } = {},
): Action | null {
  const { facts = {}, seconds = 1, operations = [], abandoned = [], during = "observation" } = more;
  const known = { operations, abandoned: new Set(abandoned) };
  return decideOnError(record(state, facts, seconds), known, now, settings, { error, during })?.action ?? null;
}

const message = (state: Living) => `${deadline(state).message}; the last attempt ended with ACCESS_DENIED: no`;
const failing = (state: Living): Action => ({
  do: "move",
  to: "FAILING",
  failure: { code: "DEADLINE_EXCEEDED", message: message(state) },
});
const destroying = (state: "FAILING" | "CANCELLING", outcome: "FAILED" | "CANCELLED"): Action => ({
  do: "move",
  to: "DESTROYING",
  outcome,
  records: {
    fate: "partial",
    error: {
      code: "RECORDS_NOT_REMOVED",
      message: `it is not known whether records are still copied: ${message(state)}`,
    },
  },
});

describe("an exchange whose observation or action throws", () => {
  for (const state of living) {
    it(`is looked at again in ${state} before its deadline`, () => {
      expect(decided(state)).to.equal(null);
    });
  }

  for (const state of living.filter((one) => !ending.includes(one))) {
    for (const during of ["observation", "read_payload_from_manifest", "move", "fail_missing_units"] as const) {
      it(`fails in ${state} past its deadline, with the last error, when it is the ${during} that throws`, () => {
        expect(decided(state, { seconds: late(state), during })).to.deep.equal(failing(state));
      });
    }

    it(`is cancelled in ${state} although nothing can be seen`, () => {
      expect(decided(state, { facts: { cancelRequestedAt: ago(1) } })).to.deep.include({
        do: "move",
        to: state === "ACCEPTED" ? "CANCELLED" : "CANCELLING",
      });
    });
  }

  for (const [state, outcome] of [
    ["FAILING", "FAILED"],
    ["CANCELLING", "CANCELLED"],
  ] as const) {
    for (const during of ["observation", "stop_execution", "stop_runs"] as const) {
      it(`goes from ${state} to its destruction past the deadline and names the unknown records, for the ${during}`, () => {
        expect(decided(state, { seconds: late(state), during })).to.deep.equal(destroying(state, outcome));
      });
    }

    it(`first ends what still runs in ${state} past the deadline, as far as the registry shows it`, () => {
      const seconds = late(state);
      const asked = { ...provisioning, cancelRequested: true };

      expect([
        decided(state, { seconds, operations: [provisioning] }),
        decided(state, { seconds, operations: [asked] }),
        decided(state, { seconds, operations: [provisioning], abandoned: [provisioning.id] }),
        decided(state, { seconds, facts: { outputs } }),
        decided(state, { seconds, operations: [operation("provision", "failed")] }),
      ]).to.deep.equal([
        { do: "cancel_operation", operation: provisioning },
        { do: "wait", seconds: 10 },
        { do: "abandon_operation", operation: provisioning },
        { do: "release_uploader" },
        destroying(state, outcome),
      ]);
    });

    it(`goes on in ${state} when it is the release of the uploader that throws, which has a bound of its own`, () => {
      expect(decided(state, { seconds: late(state), during: "release_uploader" })).to.equal(null);
    });
  }

  it("never gives up a destruction, so that nothing is left", () => {
    expect(decided("DESTROYING", { seconds: late("DESTROYING") })).to.equal(null);
  });

  it("waits for an uploader that cannot be reached, also past the deadline", () => {
    const facts = { uploaderSilentSince: ago(9) };

    expect(decided("STARTING", { seconds: late("STARTING"), facts, during: "tell_uploader" })).to.equal(null);
  });

  it("stays ended", () => {
    expect(decided("FINISHED", { seconds: 10 ** 9 })).to.equal(null);
  });
});
