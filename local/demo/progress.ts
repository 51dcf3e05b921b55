import type { ExchangeState } from "../../contracts/states.ts";
import type { ExchangeView } from "../platform/client.ts";

/** One line that says where an exchange stands. */
export function progressLine(view: ExchangeView): string {
  const counts = Object.entries(view.stages)
    .filter(([, counts]) => counts.expected !== null)
    .map(([stage, { expected, done, notFound, failed }]) => {
      const others = [notFound && `${notFound} not found`, failed && `${failed} failed`].filter(Boolean);
      return `${stage} ${done}/${String(expected)}${others.length > 0 ? ` (${others.join(", ")})` : ""}`;
    });
  if (view.copying) {
    const tables = Object.values(view.copying);
    const sum = (of: "done" | "total") => tables.reduce((rows, table) => rows + table[of], 0);
    counts.push(`rows ${sum("done")}/${sum("total")}`);
  }
  const known = view.documents.copied + view.documents.notFound + view.documents.failed;
  if (counts.length === 0 && known > 0) counts.push(`documents ${known}/${view.documents.selected}`);
  return [view.state, ...counts].join("  ");
}

/** Seconds that each part of an exchange took, from the times at which it entered its states. */
export function phaseSeconds(view: ExchangeView): Record<"provision" | "records" | "documents" | "teardown", number> {
  const entered = (state: ExchangeState) => view.stateHistory.find((entry) => entry.state === state)?.at.getTime();
  const ended = view.stateHistory.at(-1)?.at.getTime();
  const between = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined ? 0 : Math.round((to - from) / 100) / 10;
  const copying = entered("COPYING_RECORDS");
  const constructing = entered("CONSTRUCTING_PAYLOAD") ?? entered("PROCESSING");
  const draining = view.stateHistory.findLast((entry) => entry.state === "DRAINING")?.at.getTime();
  return {
    provision: between(entered("ACCEPTED"), copying),
    records: between(copying, constructing),
    documents: between(constructing, draining),
    teardown: between(draining, ended),
  };
}
