import type { Facts, Unit } from "./facts.ts";

/** What `GET /exchanges/{id}` says, against what was measured. */
export function reportGoneWrong(facts: Facts): string[] {
  const { view, registry, planned, documents, examination, rows } = facts;
  if (!view || facts.exchangeId === undefined) return [];
  const wrong: string[] = [];
  const compare = (what: string, said: unknown, measured: unknown) => {
    const [one, other] = [JSON.stringify(said), JSON.stringify(measured)];
    if (one !== other) wrong.push(`the API says of ${what} ${one}, measured was ${other}`);
  };
  const states = registry.transitions.map(({ to }) => to);
  compare(
    "the states",
    view.stateHistory.map(({ state }) => state),
    states,
  );
  compare("the files", sorted(documents), sorted(registry.ledger));
  compare("the selected documents", view.documents.selected, examination.documents.selected);
  if (view.state !== "FINISHED") return wrong;

  const uploads = planned.filter(({ role }) => role === "document").length;
  compare(
    "expected files",
    [view.stages["copy"]?.expected, view.stages["upload"]?.expected],
    [planned.length, uploads],
  );
  compare("the documents", view.documents, measuredDocuments(facts));
  compare("the rows", byName(counted(rows ?? {})), byName(travelled(examination.rows, rows ?? {})));
  return wrong;
}

/** The worst that happened to one of a document's files, in any stage, is what happened to the document. */
function measuredDocuments({ planned, uploader, examination, exchangeId }: Facts) {
  const files = examination.files.get(exchangeId ?? "");
  const counts = { selected: examination.documents.selected, copied: 0, notFound: 0, failed: 0 };
  for (const own of Map.groupBy(planned, ({ documentId }) => documentId).values()) {
    const states = own.map(({ fileId, role }) => {
      const state = files?.get(fileId) ?? "failed";
      return state === "copied" && role === "document" && uploader.get(fileId) !== "SUCCESS" ? "failed" : state;
    });
    const worst = states.includes("failed") ? "failed" : states.includes("notFound") ? "notFound" : "copied";
    counts[worst]++;
  }
  counts.copied += counts.selected - counts.copied - counts.notFound - counts.failed;
  return counts;
}

type Counts = Facts["examination"]["rows"];

/** Its checksums say nothing that an outsider, who compares each row, could measure. */
function counted(said: Counts): Counts {
  return Object.fromEntries(Object.entries(said).map(([name, { source, target }]) => [name, { source, target }]));
}

/** The record copy says nothing of tables of which nothing travels. */
function travelled(measured: Counts, said: Counts): Counts {
  return Object.fromEntries(Object.entries(measured).filter(([name, { source }]) => source > 0 || name in said));
}

function byName<Value>(of: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(of).sort(([one], [other]) => (one < other ? -1 : 1));
}

function sorted(units: readonly Unit[]): string[] {
  return units.map(({ stage, fileId, documentId, state }) => [stage, fileId, documentId, state].join(" ")).sort();
}
