import type { Stage } from "../../../contracts/ledger.ts";
import type { Facts, Unit } from "./facts.ts";

/**
 * Sent = processed + reported as failed, as sets of ids: what the selection means, what the manifest lists, what lies in
 * the destination, what the uploader was handed, and what the ledger says.
 */
export function unitsGoneWrong(facts: Facts): string[] {
  const { exchangeId, registry, planned, manifest, uploader, examination, view, costs } = facts;
  if (exchangeId === undefined || !view) return [];
  const copied = examination.files.get(exchangeId) ?? new Map<string, string>();
  const files = planned.map(({ fileId }) => fileId);
  const documents = planned.filter(({ role }) => role === "document").map(({ fileId }) => fileId);
  const ofStage = (stage: Stage) =>
    new Map(registry.ledger.filter((unit) => unit.stage === stage).map((unit) => [unit.fileId, unit]));
  const [copies, uploads] = [ofStage("copy"), ofStage("upload")];
  const finished = view.state === "FINISHED";
  return [
    ...(finished ? missing("the manifest", files, manifest) : []),
    ...strangers("the manifest", files, manifest),
    ...(finished ? missing("stage copy of the ledger", files, copies.keys()) : []),
    ...strangers("stage copy of the ledger", files, copies.keys()),
    ...(finished ? missing("stage upload of the ledger", documents, uploads.keys()) : []),
    ...strangers("stage upload of the ledger", documents, uploads.keys()),
    ...strangers("the uploader's journal", documents, uploader.keys()),
    ...[...copies.values()].flatMap((unit) =>
      copyGoneWrong(unit, copied.get(unit.fileId), facts.records === "removed"),
    ),
    ...[...uploads.values()].flatMap((unit) =>
      uploadGoneWrong(unit, uploader.get(unit.fileId), copies.get(unit.fileId)),
    ),
    ...(finished ? failedForNothing([...copies.values(), ...uploads.values()], costs) : []),
    ...(finished ? missing("what was reported as uploaded", loaded(uploader), doneOf(uploads)) : []),
  ];
}

/** Nothing keeps a file from arriving for good but a fault that says so: as without a fault, so with it. */
function failedForNothing(units: readonly Unit[], costs: number): string[] {
  const failed = units.filter(({ state }) => state === "failed");
  const files = new Set(failed.map(({ fileId }) => fileId));
  if (files.size < costs) return [`${costs} files cannot have arrived, and ${files.size} are reported as failed`];
  if (files.size === costs) return [];
  return failed.map(
    ({ fileId, stage }) => `file ${fileId} has failed in stage ${stage}, though nothing was wrong with it`,
  );
}

function missing(where: string, expected: Iterable<string>, found: Iterable<string>): string[] {
  const known = new Set(found);
  return [...expected].filter((id) => !known.has(id)).map((id) => `file ${id} is missing in ${where}`);
}

function strangers(where: string, expected: Iterable<string>, found: Iterable<string>): string[] {
  const known = new Set(expected);
  return [...found].filter((id) => !known.has(id)).map((id) => `file ${id} in ${where} was not selected`);
}

function copyGoneWrong({ fileId, state }: Unit, lies: string | undefined, removed: boolean): string[] {
  if (removed) return [];
  const seen = { copied: "done", notFound: "not_found", failed: "failed" }[lies ?? "failed"];
  return seen === state
    ? []
    : [`file ${fileId} is reported as ${state} by stage copy, and is in truth ${String(seen)}`];
}

function uploadGoneWrong({ fileId, state }: Unit, outcome: "SUCCESS" | "ERROR" | undefined, copy?: Unit): string[] {
  if (state === "done" && outcome !== "SUCCESS") {
    return [`file ${fileId} is reported as uploaded, and the uploader ${outcome ? "refused it" : "never had it"}`];
  }
  if (state === "not_found" && copy?.state !== "not_found") {
    return [
      `file ${fileId} is reported as not found by stage upload, and as ${copy?.state ?? "nothing"} by stage copy`,
    ];
  }
  if (state === "failed" && outcome === "SUCCESS") {
    return [`file ${fileId} is reported as not uploaded, and the uploader has loaded it`];
  }
  return [];
}

function loaded(uploader: ReadonlyMap<string, string>): string[] {
  return [...uploader].filter(([, outcome]) => outcome === "SUCCESS").map(([fileId]) => fileId);
}

function doneOf(units: ReadonlyMap<string, Unit>): string[] {
  return [...units.values()].filter(({ state }) => state === "done").map(({ fileId }) => fileId);
}
