import { InvalidInputError } from "../../contracts/errors.ts";
import { examineAnnotations, type AnnotationCounts, type AnnotationsVerdict } from "./annotations.ts";
import { danglingKeys } from "./case-rows.ts";
import { compareFiles, documentState, type FileState } from "./compare-files.ts";
import { compareRows, strangers } from "./compare-rows.ts";
import { findCounterparts } from "./counterparts.ts";
import { engineReader } from "./engine-documents.ts";
import { targetOf, type Carrying } from "./expected.ts";
import { findings, type Finding } from "./finding.ts";
import {
  changes,
  lookAtCase,
  objectDifference,
  rowDifference,
  type CaseAccess,
  type Fingerprint,
} from "./fingerprint.ts";
import { findLeaks, judgeSearch } from "./leaks.ts";
import { findLeftovers } from "./leftovers.ts";
import { listResources, type AuditorClients } from "./resources.ts";
import { rowsInScope, unknownTables, type CheckedExchange } from "./scope.ts";

/** Where to look; nothing of it can change anything. */
export interface Outsider extends Omit<CaseAccess, "s3"> {
  clients: AuditorClients;
  stateBucket: string;
  sourceCaseId: number;
  destinationCaseId: number;
  /** Needed for exchanges with annotations. */
  documentEngine?: { url: string; token: string };
}

/** Both cases and the account at one moment, to be taken before the first exchange. */
export interface Before {
  source: Fingerprint;
  destination: Fingerprint;
  resources: ReadonlySet<string>;
}

export interface CheckResult {
  /** A sentence for each thing that is not as it must be; none means that all is well. */
  problems: string[];
  documents: { selected: number; copied: number; notFound: number; failed: number };
  /** Table → rows selected in the source, and those found for them in the destination. */
  rows: Record<string, { source: number; target: number }>;
  /** Resources, state and uploads that exchanges have left in the account. */
  leftovers: number;
  /** What became of annotations, where there were exchanges with any. */
  annotations?: AnnotationCounts;
  search?: { indexed: number };
}

export async function takeFingerprint(outsider: Outsider): Promise<Before> {
  const access = { ...outsider, s3: outsider.clients.s3 };
  const source = await lookAtCase(access, outsider.sourceCaseId);
  const destination = await lookAtCase(access, outsider.destinationCaseId);
  const resources = new Set((await listResources(outsider.clients)).keys());
  return { source: source.fingerprint, destination: destination.fingerprint, resources };
}

/** What {@link checkExchange} saw, in detail. */
export interface Examination extends Omit<CheckResult, "problems"> {
  findings: Finding[];
  /** `table key` of every new row of the destination that an exchange accounts for. */
  ownRows: string[];
  /** Exchange → source file id → what became of it in the destination, for each selected file. */
  files: Map<string, ReadonlyMap<string, FileState>>;
}

/**
 * Judges finished exchanges by what lies in the databases, on S3 and in the account, never by what was said of them:
 * every file byte by byte, every row column by column, and that nothing else came, changed or stayed.
 */
export async function checkExchange(
  outsider: Outsider,
  before: Before,
  exchanges: readonly CheckedExchange[],
): Promise<CheckResult> {
  const { findings, documents, rows, leftovers, annotations, search } = await examine(outsider, before, exchanges);
  const problems = findings.map(({ text }) => text);
  return { problems, documents, rows, leftovers, ...(annotations && { annotations }), ...(search && { search }) };
}

/** As {@link checkExchange}, with each finding's kind and each file's state. */
export async function examine(
  outsider: Outsider,
  before: Before,
  exchanges: readonly CheckedExchange[],
): Promise<Examination> {
  const { connection, clients, destinationCaseId } = outsider;
  const access = { ...outsider, s3: clients.s3 };
  const exchangeIds = exchanges.map(({ exchangeId }) => exchangeId);
  const [source, leftovers] = await Promise.all([
    lookAtCase(access, outsider.sourceCaseId),
    findLeftovers({ ...outsider, before: before.resources, exchangeIds }),
  ]);
  const destination = await lookAtCase(access, destinationCaseId);

  const unknown = unknownTables(source.rows).map(
    (table) => `table ${table} of the source has rows that cannot be judged`,
  );
  const result: Examination = {
    findings: findings("unknown table", unknown),
    documents: { selected: 0, copied: 0, notFound: 0, failed: 0 },
    rows: {},
    leftovers: leftovers.length,
    ownRows: [],
    files: new Map(),
  };
  const accounted = new Set<string>();
  const keys = new Set<string>();
  for (const exchange of exchanges) {
    const scope = rowsInScope(source.rows, exchange);
    const known = { exchange, source: source.rows, destination: destination.rows, scope };
    const counterparts = await findCounterparts(connection, known);
    const carrying: Carrying = { ...known, sourceCaseId: outsider.sourceCaseId, counterparts };
    const own = compareRows(carrying, before.destination);
    const files = await compareFiles(access, carrying, destinationCaseId);
    result.findings.push(...own.problems, ...files.problems);
    for (const name of own.accounted) accounted.add(name);
    for (const key of files.keys) keys.add(key);
    result.files.set(exchange.exchangeId, files.states);
    addCounts(result, carrying, own.rows, files.files);
    const drawn = await examineDrawn(outsider, before, destination, carrying);
    if (!drawn) continue;
    result.findings.push(...drawn.problems);
    for (const name of drawn.rows) accounted.add(name);
    for (const key of drawn.keys) keys.add(key);
    result.annotations = drawn.counts;
    result.search = { indexed: drawn.indexed };
  }

  const rows = rowDifference(before.destination, destination.fingerprint);
  result.ownRows = rows.added.filter((name) => accounted.has(name));
  const arrived = objectDifference(before.destination, destination.fingerprint);
  result.findings.push(
    ...strangers({ destination: destination.rows }, before.destination, accounted),
    ...findings("dangling key", danglingKeys(destination.rows)),
    ...findings("changed destination", [
      ...changes("destination row", rows),
      ...changes("destination object", arrived),
    ]),
    ...findings(
      "stray object",
      arrived.added.filter((key) => !keys.has(key)).map((key) => `destination object ${key} belongs to no file`),
    ),
    ...findings("changed source", everyChange("source", before.source, source.fingerprint)),
    ...findings(
      "leftover",
      leftovers.map((name) => `left over: ${name}`),
    ),
  );
  return result;
}

/** What became of annotations; undefined for an exchange without any. The last exchange's is told where there are several. */
async function examineDrawn(
  { connection, clients, caseBucket, documentEngine }: Outsider,
  before: Before,
  destination: Awaited<ReturnType<typeof lookAtCase>>,
  carrying: Carrying,
): Promise<AnnotationsVerdict | undefined> {
  const { annotated } = carrying.exchange;
  if (!annotated) return undefined;
  if (!documentEngine)
    throw new InvalidInputError("NO_DOCUMENT_ENGINE", "annotations are judged in Document Engine: name it");
  const drawn = await examineAnnotations(carrying, annotated, engineReader(documentEngine));
  const natives = new Set(
    (destination.rows.tables.get("document_variants")?.rows ?? [])
      .filter((row) => row["role"] === "native")
      .map((row) => row["s3_key"]),
  );
  const keys = objectDifference(before.destination, destination.fingerprint).added.filter((key) => !natives.has(key));
  const leaks = [
    ...(await findLeaks(destination.rows, { s3: clients.s3, bucket: caseBucket, keys }, annotated)),
    ...(await judgeSearch(connection, destination.rows, drawn.searchable)),
  ];
  drawn.problems.push(...leaks);
  drawn.counts.leaks += leaks.filter(({ about }) => about === "leak").length;
  return drawn;
}

/** Everything that differs between two moments, also what is new. */
function everyChange(what: string, before: Fingerprint, after: Fingerprint): string[] {
  const rows = rowDifference(before, after);
  const objects = objectDifference(before, after);
  return [
    ...changes(`${what} row`, rows),
    ...changes(`${what} object`, objects),
    ...rows.added.map((name) => `${what} row ${name} is new`),
    ...objects.added.map((key) => `${what} object ${key} is new`),
  ];
}

function addCounts(
  result: Examination,
  carrying: Carrying,
  rows: CheckResult["rows"],
  files: ReadonlyMap<string, readonly FileState[]>,
): void {
  for (const [table, { source, target }] of Object.entries(rows)) {
    const sum = (result.rows[table] ??= { source: 0, target: 0 });
    sum.source += source;
    sum.target += target;
  }
  result.documents.selected += carrying.exchange.documentIds.length;
  for (const documentId of carrying.exchange.documentIds) {
    const arrived = targetOf(carrying, "documents", documentId) !== undefined;
    result.documents[arrived ? documentState(files.get(documentId) ?? []) : "failed"]++;
  }
}
