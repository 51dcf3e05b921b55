import { isFinal } from "../../contracts/states.ts";
import type { Finding } from "../check/finding.ts";
import type { Facts } from "./judge/facts.ts";
import { unitsGoneWrong } from "./judge/units.ts";
import { reportGoneWrong } from "./judge/report.ts";

/**
 * What holds after every run, whatever went wrong in it:
 * I1 exactly one final state, and it is told once; I2 the planned files, whole, and no others; I3 the planned rows, once,
 * and their references resolve; I4 what was sent is processed, or reported as failed, by name; I5 nothing is left; I6 the
 * source is as it was; I7 an early end leaves the destination whole; I8 the API says what was measured.
 */
export const invariants = ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8"] as const;
export type Invariant = (typeof invariants)[number];

export interface Violation {
  readonly invariant: Invariant;
  /** What is wrong, naming it. */
  readonly what: string;
}

/** Judges one run. */
export function violations(facts: Facts): Violation[] {
  const of = (invariant: Invariant, texts: readonly string[]) => texts.map((what) => ({ invariant, what }));
  const finished = facts.view?.state === "FINISHED";
  const about = (...kinds: Finding["about"][]) =>
    facts.examination.findings.filter((finding) => kinds.includes(finding.about)).map(({ text }) => text);
  return [
    ...of("I1", [...endsGoneWrong(facts), ...eventsGoneWrong(facts)]),
    ...(finished
      ? [
          ...of("I2", [...about("missing file").slice(facts.costs), ...about("wrong file", "stray object")]),
          ...of("I3", about("missing row", "wrong row", "doubled row", "stray row", "dangling key")),
        ]
      : of("I7", earlyEndGoneWrong(facts, about))),
    ...of("I3", about("unknown table", "changed destination")),
    ...of("I4", [...unitsGoneWrong(facts), ...messagesLeft(facts)]),
    ...of("I5", [...about("leftover"), ...facts.remains.map((name) => `left over: ${name}`)]),
    ...of("I6", about("changed source")),
    ...of("I8", reportGoneWrong(facts)),
  ];
}

function endsGoneWrong({ exchangeId, registry, view, ends, cancelled }: Facts): string[] {
  const { exchanges, transitions, openOperations, unpublished } = registry;
  if (exchangeId === undefined) return ["no request was ever answered with 202"];
  const wrong: string[] = [];
  if (exchanges.length !== 1) {
    const which = exchanges.map(({ id, state }) => `${id} (${state})`).join(", ");
    wrong.push(`one Idempotency-Key made ${exchanges.length} exchanges: ${which}`);
  }
  for (const { id, state, waiting } of exchanges) {
    if (!isFinal(state)) wrong.push(`exchange ${id} has not ended: it is ${state} (${waiting ?? "waits for nothing"})`);
  }
  const finals = transitions.filter(({ to }) => isFinal(to)).map(({ to }) => to);
  if (finals.length > 1) wrong.push(`it ended ${finals.length} times: ${finals.join(", ")}`);
  if (finals.length > 0 && !isFinal(transitions.at(-1)?.to ?? "ACCEPTED")) {
    wrong.push(`it went on after its end: ${transitions.map(({ to }) => to).join(", ")}`);
  }
  transitions.forEach(({ from, to }, index) => {
    const last = transitions[index - 1]?.to ?? null;
    if (from !== last) wrong.push(`its history has a gap: ${String(last)}, then from ${String(from)} to ${to}`);
  });
  if (!view) return wrong;
  if (cancelled && view.state !== "CANCELLED")
    wrong.push(`it was promised to end as CANCELLED and ended ${view.state}`);
  if (!cancelled && !ends.some((end) => end === view.state)) {
    wrong.push(`it ended ${view.state}, not ${ends.join(" or ")}: ${JSON.stringify(view.failure ?? null)}`);
  }
  if (view.state === "FAILED" && !view.failure?.code) wrong.push("it ended FAILED and gives no reason");
  return [
    ...wrong,
    ...openOperations.map((purpose) => `operation ${purpose} has not ended`),
    ...unpublished.map((id) => `message ${id} never left`),
  ];
}

/** The end, and what comes before it, is told: each fact under one id, and with one content, however often it comes. */
function eventsGoneWrong({ exchangeId, registry, events, view }: Facts): string[] {
  if (exchangeId === undefined || !view) return [];
  const wrong: string[] = [];
  const passed = new Set(registry.transitions.map(({ to }) => to));
  const expected = [
    ...(passed.has("COPYING_RECORDS") ? ["EXCHANGER_INITIATED"] : []),
    ...(passed.has("PROCESSING") ? ["EXCHANGER_DELETE_INITIATED"] : []),
    `EXCHANGER_${view.state}`,
  ];
  const told = Map.groupBy(events, ({ eventType }) => eventType);
  for (const type of expected) if (!told.has(type)) wrong.push(`${type} was never published`);
  for (const [type, of] of told) {
    if (!expected.includes(type)) wrong.push(`${type} was published, which is not true`);
    const ids = new Set(of.map(({ eventId }) => eventId));
    if (ids.size > 1) wrong.push(`${type} was published under ${ids.size} ids: ${[...ids].join(", ")}`);
    const bodies = new Set(of.map(({ body }) => body));
    if (bodies.size > ids.size) wrong.push(`${type} was published with ${bodies.size} contents under one id`);
  }
  if (registry.status !== `EXCHANGER_${view.state}`) {
    wrong.push(`users are shown ${registry.status ?? "no status"} of an exchange that is ${view.state}`);
  }
  return wrong;
}

/** The records of a failed or cancelled exchange stay or go as a whole, and of every file that came the ledger tells. */
function earlyEndGoneWrong(facts: Facts, about: (...kinds: Finding["about"][]) => string[]): string[] {
  const { records, examination, registry, exchangeId, view } = facts;
  if (exchangeId === undefined || !view) return [];
  const foreign = about("doubled row", "stray row", "dangling key", "wrong file", "stray object");
  const came = [...(examination.files.get(exchangeId) ?? [])]
    .filter(([, state]) => state === "copied")
    .map(([fileId]) => fileId);
  switch (records) {
    case "none":
    case "removed":
      return [
        ...foreign,
        ...examination.ownRows.map((name) => `destination row ${name} is there, and records are ${records}`),
        ...came.map((id) => `file ${id} lies in the destination, and records are ${records}`),
      ];
    case "kept": {
      const reported = new Set(registry.ledger.flatMap(({ stage, fileId }) => (stage === "copy" ? [fileId] : [])));
      const silent = came.filter((id) => !reported.has(id)).map((id) => `file ${id} was copied, and nothing says so`);
      return [...foreign, ...about("missing row", "wrong row"), ...silent];
    }
    case "partial":
    case "undecided":
    case undefined:
      return [...foreign, `records are neither kept nor removed, but ${records ?? "nobody says what"}`];
  }
}

function messagesLeft({ queues }: Facts): string[] {
  return Object.entries(queues)
    .filter(([, messages]) => messages > 0)
    .map(([name, messages]) => `queue ${name} still holds ${messages} messages`);
}
