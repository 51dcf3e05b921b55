import { expect } from "chai";
import { decide } from "../../engine/exchange/decide.ts";
import type { Decision } from "../../engine/exchange/decision.ts";
import type { CopyRun, Execution, Observed } from "../../engine/exchange/observed.ts";
import type { Facts } from "../../engine/exchange/record.ts";
import { ago, late, now, operation, outputs, record, seen, settings } from "./decide-kit.ts";

const provisioning = operation("provision", "running");
const execution = (status: Execution["status"]): Execution => ({ status, stoppedAt: null, error: null, cause: null });
const removed = { rows: { exhibits: 10 }, kept: [], seconds: 1 };
const aborted = execution("ABORTED");
const run = (id: string, state: CopyRun["state"], more: Partial<CopyRun> = {}): CopyRun => ({
  id,
  state,
  removes: false,
  endedAt: state === "succeeded" || state === "failed" ? ago(10) : null,
  error: state === "failed" ? "no" : null,
  ...more,
});
const removal = (id: string, state: CopyRun["state"], more: Partial<CopyRun> = {}) =>
  run(id, state, { removes: true, ...more });
const stopped = run("copy", "failed");
const released = { outputs, uploaderReleasedAt: now };
const going = (records: object) => ({ do: "move", to: "DESTROYING", outcome: "FAILED", records });

const table: [title: string, facts: Partial<Facts>, observed: Partial<Observed>, decision: Partial<Decision>][] = [
  [
    "cancels the operation",
    {},
    { operations: [provisioning] },
    { action: { do: "cancel_operation", operation: provisioning } },
  ],
  [
    "waits for the operation that it cancelled",
    {},
    { operations: [{ ...provisioning, cancelRequested: true }] },
    { action: { do: "wait", seconds: 10 } },
  ],
  [
    "gives up an operation whose owner is dead",
    {},
    { operations: [provisioning], abandoned: new Set([provisioning.id]) },
    { action: { do: "abandon_operation", operation: provisioning } },
  ],
  [
    "stops the state machine, and looks again after a while",
    released,
    { execution: execution("RUNNING") },
    { action: { do: "stop_execution" }, pauseSeconds: 5 },
  ],
  [
    "stops a Glue run that outlives the state machine",
    released,
    { execution: aborted, runs: [stopped, run("copy2", "active")] },
    { action: { do: "stop_runs", runIds: ["copy2"] }, pauseSeconds: 5 },
  ],
  [
    "waits for the end of a Glue run that stops",
    released,
    { execution: aborted, runs: [run("copy", "stopping")] },
    { action: { do: "wait", seconds: 5 } },
  ],
  [
    "releases an uploader that may have been told although that was not noted",
    { outputs },
    { execution: null },
    { action: { do: "release_uploader" } },
  ],
  [
    "tries for a while to release an uploader that cannot be reached",
    { outputs, uploaderSilentSince: ago(60) },
    { execution: null },
    { action: { do: "release_uploader" } },
  ],
  [
    "goes on without an uploader that cannot be reached",
    { outputs, uploaderSilentSince: ago(61) },
    { execution: null },
    { action: going({ fate: "none" }) as Decision["action"], reason: "nothing runs any more; no record was copied" },
  ],
  [
    "keeps the records of a copy that had finished",
    released,
    { execution: execution("FAILED"), runs: [run("copy", "succeeded")], copied: true },
    {
      action: going({ fate: "kept" }) as Decision["action"],
      reason: "nothing runs any more; every record is copied and kept",
    },
  ],
  [
    "keeps the records of a copy that was stopped after its report",
    released,
    { execution: aborted, runs: [stopped], copied: true },
    { action: going({ fate: "kept" }) as Decision["action"] },
  ],
  [
    "removes what a copy wrote that had not finished",
    released,
    { execution: aborted, runs: [stopped] },
    { action: { do: "remove_records" }, pauseSeconds: 5 },
  ],
  [
    "waits for the removal",
    released,
    { execution: aborted, runs: [stopped, removal("away", "active")] },
    { action: { do: "wait", seconds: 5 } },
  ],
  [
    "destroys when what was copied is removed",
    released,
    { execution: aborted, runs: [stopped, removal("away", "succeeded")], removal: removed },
    { action: going({ fate: "removed" }) as Decision["action"] },
  ],
  [
    "does not believe a removal that did not say that all is gone",
    released,
    { execution: aborted, runs: [stopped, removal("away", "succeeded")] },
    {
      action: { do: "remove_records" },
      reason: "removing what was copied failed (run away): it did not say that all is gone: again",
    },
  ],
  [
    "backs off after a removal that failed",
    released,
    { execution: aborted, runs: [stopped, removal("away", "failed", { endedAt: ago(1) })] },
    {
      action: { do: "wait", seconds: 1 },
      reason: "removing what was copied failed (run away): no: again soon",
    },
  ],
  [
    "tries a removal again",
    released,
    { execution: aborted, runs: [stopped, removal("away", "failed")] },
    { action: { do: "remove_records" }, reason: "removing what was copied failed (run away): no: again" },
  ],
  [
    "tries a removal again although the removed copy's report is still there",
    released,
    { execution: aborted, runs: [stopped, removal("away", "failed")], copied: true },
    { action: { do: "remove_records" } },
  ],
  [
    "gives a removal up that never succeeds, and tells it",
    released,
    { execution: aborted, runs: [stopped, ...["a", "b", "c", "d"].map((id) => removal(id, "failed"))] },
    {
      action: going({
        fate: "partial",
        error: { code: "RECORDS_NOT_REMOVED", message: "removing what was copied failed (run d): no" },
      }) as Decision["action"],
      reason: "nothing runs any more; RECORDS_NOT_REMOVED: removing what was copied failed (run d): no",
    },
  ],
];

describe("winding down", () => {
  const held = { table: "exhibits", rows: 2, because: "rows of comments refer to them", handedOver: false };
  const shared = { table: "labels", rows: 1, because: "exchange 7 uses them", handedOver: true };

  it("tells the rows that had to stay for somebody's work, and not those that another exchange uses", () => {
    const observed = {
      execution: aborted,
      runs: [removal("away", "succeeded")],
      removal: { ...removed, kept: [held, shared] },
    };

    const { action } = decide(record("FAILING", released, 120), seen(observed), now, settings);

    const message =
      "rows on which somebody's work hangs stay in the destination: 2 of exhibits (rows of comments refer to them); all others are removed";
    expect(action).to.deep.equal(going({ fate: "partial", error: { code: "RECORDS_HELD", message } }));
  });

  it("calls removed what only other exchanges go on to use", () => {
    const observed = {
      execution: aborted,
      runs: [removal("away", "succeeded")],
      removal: { ...removed, kept: [shared] },
    };

    const { action } = decide(record("FAILING", released, 120), seen(observed), now, settings);

    expect(action).to.deep.equal(going({ fate: "removed" }));
  });

  for (const [title, facts, observed, decision] of table) {
    it(title, () => {
      expect(decide(record("FAILING", facts, 120), seen(observed), now, settings)).to.deep.include(decision);
    });
  }

  it("leads a cancelled exchange to its own end by the same steps", () => {
    const given = record("CANCELLING", { ...released, cancelRequestedAt: now });

    const observed = seen({ execution: aborted, runs: [removal("away", "succeeded")], removal: removed });
    const { action } = decide(given, observed, now, settings);

    expect(action).to.deep.equal({ do: "move", to: "DESTROYING", outcome: "CANCELLED", records: { fate: "removed" } });
  });

  for (const observed of [{ execution: execution("RUNNING") }, { execution: aborted, runs: [run("copy", "active")] }]) {
    it(`leaves nothing running even past the deadline: execution ${observed.execution.status}`, () => {
      const { action, reason } = decide(record("FAILING", released, late("FAILING")), seen(observed), now, settings);

      expect(action.do).to.equal(observed.runs ? "stop_runs" : "stop_execution");
      expect(reason).to.match(/^FAILING took longer than 60 minutes; the .* still runs$/);
    });
  }

  it("gives up past the deadline a removal that cannot even be started, and says what it waited for", () => {
    const given = { ...record("FAILING", released, late("FAILING")), waiting: "UNEXPECTED: too many runs" };

    const { action } = decide(given, seen({ execution: aborted, runs: [stopped] }), now, settings);

    const message = "FAILING took longer than 60 minutes (UNEXPECTED: too many runs)";
    expect(action).to.deep.equal(going({ fate: "partial", error: { code: "RECORDS_NOT_REMOVED", message } }));
  });
});
