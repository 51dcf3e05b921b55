import type { WireError } from "../../contracts/errors.ts";
import { fail, wait, type Decision, type Settings } from "./decision.ts";
import { lastAttempt, need } from "./operate.ts";
import type { Observed } from "./observed.ts";
import type { ExchangeRecord } from "./record.ts";
import { releaseUploader } from "./wind-down.ts";

/**
 * DRAINING. Enter: every expected unit has a final row. While: the topic's subscriptions are taken away and the
 * mappings disabled by an `up` in the draining phase; then what is in flight ends; then every counter must stay zero
 * over the settling time, since SQS counters are approximate for a minute. Leave: to DESTROYING once the uploader was
 * told to let go, or cannot be told; back to PROCESSING, running again, when messages are left that nobody would consume. If the process dies
 * here: the phase is an input of the program, so nothing undoes the drain, and the silence is measured from the record.
 */
export function drain(
  record: ExchangeRecord,
  observed: Observed,
  now: Date,
  settings: Settings,
  late: WireError | null,
): Decision {
  if (late) return fail(late);
  const { drainRound, quietSince } = record.facts;
  const flush = { kind: "up", purpose: `flush:${drainRound}`, phase: "running" } as const;
  if (lastAttempt(observed.operations, flush.purpose)) {
    return need(flush, observed, now) ?? { action: { do: "move", to: "PROCESSING" }, reason: "it runs again" };
  }
  const draining = need({ kind: "up", purpose: `drain:${drainRound}`, phase: "draining" }, observed, now);
  if (draining) return draining;

  const moving = Object.entries(observed.mappings ?? {}).filter(([, state]) => state !== "Disabled");
  if (moving.length > 0) {
    return wait(settings.pollSeconds, `mappings stop: ${moving.map(([kind, state]) => `${kind} ${state}`).join(", ")}`);
  }
  const depths = Object.entries(observed.queues ?? {});
  const stranded = depths.filter(([kind, depth]) => kind !== "doc_uploader" && depth.visible + depth.delayed > 0);
  if (stranded.length > 0) {
    // They came after their consumer had stopped: it has to run again, so that they are processed and not lost.
    const reason = `messages were left in ${stranded.map(([kind]) => kind).join(", ")}`;
    return { action: { do: "operate", wish: flush, attempt: 1, recover: false }, reason };
  }

  const busy = depths.filter(([, depth]) => depth.visible + depth.inFlight + depth.delayed > 0);
  if (busy.length > 0) {
    return quietSince
      ? { action: { do: "note_quiet", quiet: false }, reason: `messages in ${busy.map(([kind]) => kind).join(", ")}` }
      : wait(settings.pollSeconds, `messages end in ${busy.map(([kind]) => kind).join(", ")}`);
  }
  if (!quietSince) return { action: { do: "note_quiet", quiet: true }, reason: "every queue is empty" };
  const left = settings.settlingSeconds - (now.getTime() - quietSince.getTime()) / 1000;
  if (left > 0) return wait(Math.min(left, settings.pollSeconds), "every queue is empty; settling");
  return (
    releaseUploader(record, now, settings) ?? {
      action: { do: "move", to: "DESTROYING", outcome: "FINISHED", records: { fate: "kept" } },
      reason: "every document has a final state and every queue stayed empty",
    }
  );
}
