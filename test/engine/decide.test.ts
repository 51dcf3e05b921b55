import { expect } from "chai";
import { decide } from "../../engine/exchange/decide.ts";
import type { Action } from "../../engine/exchange/decision.ts";
import type { Observed } from "../../engine/exchange/observed.ts";
import type { ExchangeRecord } from "../../engine/exchange/record.ts";
import {
  ago,
  annotated,
  annotatedFull,
  deadline,
  done,
  drained,
  empty,
  failure,
  full,
  late,
  now,
  operation,
  outputs,
  payload,
  provisioning,
  quiet,
  record,
  seen,
  settings,
  up,
} from "./decide-kit.ts";

type Row = [title: string, record: ExchangeRecord, observed: Observed, action: Action];
const table: Row[] = [
  ["waits in ACCEPTED", record("ACCEPTED"), seen(), { do: "wait", seconds: 60 }],
  [
    "fails an exchange for which no place came free in time",
    record("ACCEPTED", {}, late("ACCEPTED")),
    seen(),
    { do: "move", to: "FAILING", failure: deadline("ACCEPTED") },
  ],
  [
    "begins to provision",
    record("PROVISIONING"),
    seen(),
    { do: "operate", wish: up("provision", "running"), attempt: 1, recover: false },
  ],
  [
    "waits for the operation that provisions",
    record("PROVISIONING"),
    seen({ operations: [provisioning] }),
    { do: "wait", seconds: 5 },
  ],
  [
    "gives up an operation whose owner is dead",
    record("PROVISIONING"),
    seen({ operations: [provisioning], abandoned: new Set([provisioning.id]) }),
    { do: "abandon_operation", operation: provisioning },
  ],
  [
    "recovers the stack after an operation that was given up",
    record("PROVISIONING"),
    seen({ operations: [operation("provision", "aborted", { endedAt: ago(2) })] }),
    { do: "operate", wish: up("provision", "running"), attempt: 2, recover: true },
  ],
  [
    "recovers the stack again when that has failed",
    record("PROVISIONING"),
    seen({
      operations: [
        { ...operation("provision", "aborted", { endedAt: ago(9) }), id: "first" },
        { ...operation("provision", "failed", { endedAt: ago(4) }), attempt: 2 },
      ],
    }),
    { do: "operate", wish: up("provision", "running"), attempt: 3, recover: true },
  ],
  [
    "backs off after a passing failure",
    record("PROVISIONING"),
    seen({ operations: [operation("provision", "failed", { endedAt: ago(1) })] }),
    { do: "wait", seconds: 1 },
  ],
  [
    "tries again after the back-off",
    record("PROVISIONING"),
    seen({ operations: [operation("provision", "failed", { endedAt: ago(2) })] }),
    { do: "operate", wish: up("provision", "running"), attempt: 2, recover: false },
  ],
  [
    "fails at once for what no attempt can mend",
    record("PROVISIONING"),
    seen({
      operations: [
        operation("provision", "failed", { error: { code: "ACCESS_DENIED", message: "no", retryable: false } }),
      ],
    }),
    { do: "move", to: "FAILING", failure: { code: "ACCESS_DENIED", message: "no" } },
  ],
  [
    "fails after the fourth failure",
    record("PROVISIONING"),
    seen({
      operations: [1, 2, 3, 4].map((attempt) => operation("provision", "failed", { attempt, endedAt: ago(900) })),
    }),
    { do: "move", to: "FAILING", failure: { code: "THROTTLED", message: "slow down" } },
  ],
  [
    "starts once the stack is up",
    record("PROVISIONING", { outputs }),
    seen({ operations: [operation("provision", "succeeded")] }),
    { do: "move", to: "STARTING" },
  ],
  ["tells the uploader first", record("STARTING", { outputs }), seen(), { do: "tell_uploader" }],
  [
    "waits past the deadline for an uploader that cannot be reached",
    record("STARTING", { outputs, uploaderSilentSince: ago(60) }, late("STARTING")),
    seen(),
    { do: "tell_uploader" },
  ],
  ["then starts the execution", record("STARTING", { uploaderToldAt: now }), seen(), { do: "start_execution" }],
  [
    "says that the exchange is initiated once both are done",
    record("STARTING", { uploaderToldAt: now, executionArn: "arn" }),
    seen(),
    { do: "move", to: "COPYING_RECORDS", events: ["EXCHANGER_INITIATED"] },
  ],
  ["waits for the record copy", record("COPYING_RECORDS"), seen(), { do: "wait", seconds: 15 }],
  [
    "goes on when the records are copied",
    record("COPYING_RECORDS", { copyFinishedAt: now }),
    seen(),
    { do: "move", to: "CONSTRUCTING_PAYLOAD" },
  ],
  [
    "goes on when the later event came and the earlier one did not",
    record("COPYING_RECORDS", { payload }),
    seen(),
    { do: "move", to: "CONSTRUCTING_PAYLOAD" },
  ],
  [
    "fails with what the event said",
    record("COPYING_RECORDS", { failure }),
    seen(),
    { do: "move", to: "FAILING", failure },
  ],
  [
    "gives the event of a failed execution time to come",
    record("COPYING_RECORDS"),
    seen({ execution: { status: "FAILED", stoppedAt: ago(10), error: "E", cause: "c" } }),
    { do: "wait", seconds: 20 },
  ],
  [
    "takes the execution's own word when no event came",
    record("CONSTRUCTING_PAYLOAD"),
    seen({ execution: { status: "TIMED_OUT", stoppedAt: ago(31), error: "States.Timeout", cause: null } }),
    { do: "move", to: "FAILING", failure: { code: "EXECUTION_TIMED_OUT", message: "States.Timeout" } },
  ],
  [
    "says that deletion is initiated when every message was sent",
    record("CONSTRUCTING_PAYLOAD", { payload }),
    seen(),
    { do: "move", to: "PROCESSING", events: ["EXCHANGER_DELETE_INITIATED"], recheck: true },
  ],
  [
    "counts the manifest when the execution ended and its event was lost",
    record("CONSTRUCTING_PAYLOAD"),
    seen({ execution: { status: "SUCCEEDED", stoppedAt: ago(31), error: null, cause: null } }),
    { do: "read_payload_from_manifest" },
  ],
  [
    "waits while the ledger lacks an upload",
    record("PROCESSING", { payload }),
    seen({ ledger: { ...full, upload: done(1) } }),
    { do: "wait", seconds: 5 },
  ],
  ...(["copy", "pre_upload", "upload", "re_ocr", "search"] as const).map((stage): Row => [
    `waits while the ledger lacks a unit of ${stage} in an exchange with annotations`,
    record("PROCESSING", { payload: annotated }),
    seen({ ledger: { ...annotatedFull, [stage]: done(annotated.parts[0]?.[stage] === 1 ? 0 : 1) } }),
    { do: "wait", seconds: 5 },
  ]),
  [
    "drains an exchange with annotations when every unit of all its stages has a final row",
    record("PROCESSING", { payload: annotated }),
    seen({ ledger: annotatedFull, ...quiet }),
    { do: "move", to: "DRAINING" },
  ],
  [
    "waits while messages are left that may be retried",
    record("PROCESSING", { payload }),
    seen({ ledger: full, queues: { s3_copy: { ...empty, visible: 1 } } }),
    { do: "wait", seconds: 5 },
  ],
  [
    "drains when every unit has a final row, whatever it is",
    record("PROCESSING", { payload }),
    seen({ ledger: full, ...quiet }),
    { do: "move", to: "DRAINING" },
  ],
  [
    "fails by name what is missing past the deadline",
    record("PROCESSING", { payload }, late("PROCESSING")),
    seen({ ledger: {} }),
    { do: "fail_missing_units" },
  ],
  [
    "drains an exchange without any document",
    record("PROCESSING", { payload: { parts: [] } }),
    seen({ ledger: {}, ...quiet }),
    { do: "move", to: "DRAINING" },
  ],
  [
    "brings the stack into the draining phase",
    record("DRAINING", { drainRound: 1 }),
    seen(),
    { do: "operate", wish: up("drain:1", "draining"), attempt: 1, recover: false },
  ],
  [
    "waits for Disabled, not for Disabling",
    record("DRAINING", { drainRound: 1 }),
    drained({ mappings: { s3_copy: "Disabling" }, ...quiet }),
    { do: "wait", seconds: 5 },
  ],
  [
    "waits for what is in flight",
    record("DRAINING", { drainRound: 1 }),
    drained({ queues: { s3_copy: { ...empty, inFlight: 1 } } }),
    { do: "wait", seconds: 5 },
  ],
  [
    "runs again when a message came after its consumer had stopped",
    record("DRAINING", { drainRound: 1 }),
    drained({ queues: { s3_copy: { ...empty, visible: 1 }, doc_uploader: empty } }),
    { do: "operate", wish: up("flush:1", "running"), attempt: 1, recover: false },
  ],
  [
    "does not mistake the mappings of a flush for a drain that hangs",
    record("DRAINING", { drainRound: 1 }),
    drained({
      operations: [operation("drain:1", "succeeded"), operation("flush:1", "succeeded")],
      mappings: { s3_copy: "Enabled" },
    }),
    { do: "move", to: "PROCESSING" },
  ],
  [
    "waits for the uploader, which still consumes",
    record("DRAINING", { drainRound: 1 }),
    drained({ queues: { s3_copy: empty, doc_uploader: { ...empty, visible: 1 } } }),
    { do: "wait", seconds: 5 },
  ],
  [
    "notes when every queue is empty",
    record("DRAINING", { drainRound: 1 }),
    drained(quiet),
    { do: "note_quiet", quiet: true },
  ],
  [
    "notes when one is not any more",
    record("DRAINING", { drainRound: 1, quietSince: ago(59) }),
    drained({ queues: { s3_copy: empty, doc_uploader: { ...empty, inFlight: 1 } } }),
    { do: "note_quiet", quiet: false },
  ],
  [
    "waits over the settling time",
    record("DRAINING", { drainRound: 1, quietSince: ago(57) }),
    drained(quiet),
    { do: "wait", seconds: 3 },
  ],
  [
    "releases the uploader after the settling time",
    record("DRAINING", { outputs, drainRound: 1, quietSince: ago(60) }),
    drained(quiet),
    { do: "release_uploader" },
  ],
  [
    "goes on without an uploader that cannot be told to let go",
    record("DRAINING", { outputs, drainRound: 1, quietSince: ago(60), uploaderSilentSince: ago(61) }, 120),
    drained(quiet),
    { do: "move", to: "DESTROYING", outcome: "FINISHED", records: { fate: "kept" } },
  ],
  [
    "destroys when the uploader has let go",
    record("DRAINING", { drainRound: 1, quietSince: ago(60), uploaderReleasedAt: now }),
    drained(quiet),
    { do: "move", to: "DESTROYING", outcome: "FINISHED", records: { fate: "kept" } },
  ],
  [
    "recovers a stack whose operation was cancelled before it destroys it",
    record("DESTROYING", { outcome: "FAILED" }),
    seen({ operations: [operation("provision", "cancelled")] }),
    { do: "operate", wish: { kind: "destroy", purpose: "destroy" }, attempt: 1, recover: true },
  ],
  [
    "tries a destroy again however often it failed, even past the deadline",
    record("DESTROYING", { outcome: "FINISHED" }, late("DESTROYING")),
    seen({
      operations: [
        operation("destroy", "failed", {
          attempt: 30,
          endedAt: ago(301),
          error: { code: "ACCESS_DENIED", message: "no", retryable: false },
        }),
      ],
    }),
    { do: "operate", wish: { kind: "destroy", purpose: "destroy" }, attempt: 31, recover: false },
  ],
  [
    "removes what the stack did not know of",
    record("DESTROYING", { outcome: "FINISHED" }),
    seen({ operations: [operation("destroy", "succeeded")], leftovers: ["arn:q"] }),
    { do: "remove_leftovers", leftovers: ["arn:q"] },
  ],
  [
    "ends when nothing is left, and says so",
    record("DESTROYING", { outcome: "FINISHED" }),
    seen({ operations: [operation("destroy", "succeeded")], leftovers: [] }),
    { do: "move", to: "FINISHED", events: ["EXCHANGER_FINISHED"] },
  ],
  [
    "ends an exchange at once that was cancelled before anything was made",
    record("ACCEPTED", { cancelRequestedAt: now }),
    seen(),
    { do: "move", to: "CANCELLED", events: ["EXCHANGER_CANCELLED"] },
  ],
  [
    "ends as cancelled what was cancelled while it was destroyed",
    record("DESTROYING", { outcome: "FINISHED", cancelRequestedAt: now }),
    seen({ operations: [operation("destroy", "succeeded")], leftovers: [] }),
    { do: "move", to: "CANCELLED", events: ["EXCHANGER_CANCELLED"] },
  ],
  [
    "destroys again at once when an operator asks for it",
    record("DESTROYING", { outcome: "FAILED", hurriedAt: ago(0) }),
    seen({ operations: [operation("destroy", "failed", { attempt: 30, endedAt: ago(1) })] }),
    { do: "operate", wish: { kind: "destroy", purpose: "destroy" }, attempt: 31, recover: false },
  ],
  [
    "begins with the shortest back-off after an operator asked",
    record("DESTROYING", { outcome: "FAILED", hurriedAt: ago(5) }),
    seen({
      operations: [
        operation("destroy", "failed", { attempt: 30, endedAt: ago(60) }),
        operation("destroy", "failed", { attempt: 31, endedAt: ago(1) }),
      ],
    }),
    { do: "wait", seconds: 1 },
  ],
  [
    "ends a failed exchange as failed",
    record("DESTROYING", { outcome: "FAILED" }),
    seen({ operations: [operation("destroy", "succeeded")], leftovers: [] }),
    { do: "move", to: "FAILED", events: ["EXCHANGER_FAILED"] },
  ],
];

describe("decide", () => {
  for (const [title, given, observed, action] of table) {
    it(title, () => {
      expect(decide(given, observed, now, settings).action).to.deep.equal(action);
    });
  }

  for (const state of ["PROVISIONING", "STARTING", "COPYING_RECORDS", "CONSTRUCTING_PAYLOAD", "DRAINING"] as const) {
    it(`fails an exchange that stays in ${state} past the deadline`, () => {
      const given = record(state, { drainRound: 1 }, late(state));

      const { action, reason } = decide(given, seen(), now, settings);

      expect(action).to.deep.equal({ do: "move", to: "FAILING", failure: deadline(state) });
      expect(reason).to.equal(`DEADLINE_EXCEEDED: ${deadline(state).message}`);
    });
  }

  const interruptible = [
    "PROVISIONING",
    "STARTING",
    "COPYING_RECORDS",
    "CONSTRUCTING_PAYLOAD",
    "PROCESSING",
    "DRAINING",
    "FAILING",
  ] as const;
  for (const state of interruptible) {
    it(`cancels an exchange in ${state}, whatever else is known of it`, () => {
      const given = record(state, { cancelRequestedAt: now, failure, payload, drainRound: 1 }, late(state));

      const { action } = decide(given, seen({ operations: [provisioning], missing: ["queue s3_copy"] }), now, settings);

      expect(action).to.deep.equal({ do: "move", to: "CANCELLING" });
    });
  }

  for (const state of ["COPYING_RECORDS", "CONSTRUCTING_PAYLOAD", "PROCESSING", "DRAINING"] as const) {
    it(`names an operator's destroy as the cause of what failed in ${state}`, () => {
      const given = record(state, { failure, payload, drainRound: 1 });

      const { action } = decide(given, seen({ missing: ["queue s3_copy", "mapping s3_copy"] }), now, settings);

      expect(action).to.deep.equal({
        do: "move",
        to: "FAILING",
        isCause: true,
        failure: {
          code: "STACK_DESTROYED_OUTSIDE",
          message:
            "the stack was destroyed by somebody else while the exchange needed it: queue s3_copy, mapping s3_copy is gone",
        },
      });
    });
  }

  it("goes on destroying past the deadline and says so", () => {
    const given = record("DESTROYING", { outcome: "FINISHED" }, late("DESTROYING"));

    const { reason } = decide(given, seen({ operations: [operation("destroy", "running")] }), now, settings);

    expect(reason).to.equal("DESTROYING took longer than 60 minutes; destroy is running");
  });

  it("says what an exchange past its deadline was waiting for", () => {
    const given = { ...record("STARTING", {}, late("STARTING")), waiting: "UPLOADER_UNAVAILABLE: down" };

    const { reason } = decide(given, seen(), now, settings);

    expect(reason).to.equal("DEADLINE_EXCEEDED: STARTING took longer than 60 minutes (UPLOADER_UNAVAILABLE: down)");
  });
});
