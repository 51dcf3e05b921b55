import { expect } from "chai";
import type { Action } from "../../engine/exchange/decision.ts";
import { act, type Hands } from "../../engine/lifecycle/act.ts";
import type { Registry } from "../../engine/registry/database.ts";
import { Lease, LeaseLost } from "../../engine/registry/lease.ts";
import { now, operation, record } from "./decide-kit.ts";

const provisioning = operation("provision", "running");

/** One of every action that has an effect. */
const actions: Exclude<Action, { do: "wait" }>[] = [
  { do: "move", to: "STARTING" },
  { do: "operate", wish: { kind: "destroy", purpose: "destroy" }, attempt: 1, recover: false },
  { do: "abandon_operation", operation: provisioning },
  { do: "cancel_operation", operation: provisioning },
  { do: "tell_uploader" },
  { do: "release_uploader" },
  { do: "start_execution" },
  { do: "stop_execution" },
  { do: "stop_runs", runIds: ["jr"] },
  { do: "remove_records" },
  { do: "read_payload_from_manifest" },
  { do: "fail_missing_units" },
  { do: "note_quiet", quiet: true },
  { do: "remove_leftovers", leftovers: ["arn:q"] },
];

describe("an engine that was paused past its lease", () => {
  /** Whoever touches anything of this fails the test. */
  const untouchable: unknown = new Proxy(
    {},
    {
      get(_, name) {
        throw new Error(`${String(name)} was touched without the lease`);
      },
    },
  );

  for (const action of actions) {
    it(`notices before it does ${action.do}`, async () => {
      const given = record("PROVISIONING");
      const taken = { exchangeId: given.id, owner: "host/1/a", seconds: 10, signals: 0 };
      const lease = new Lease(untouchable as Registry, { ...taken, since: performance.now() - 10_001 });

      const thrown = await act({ action, reason: "r" }, given, now, lease, untouchable as Hands).catch(
        (error: unknown) => error,
      );

      expect(thrown).to.be.instanceOf(LeaseLost);
    });
  }
});
