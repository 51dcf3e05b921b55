import PQueue from "p-queue";
import { casePrefix } from "../../contracts/names.ts";
import type { Row } from "./case-rows.ts";
import { targetOf, type Carrying } from "./expected.ts";
import type { Finding } from "./finding.ts";
import type { CaseAccess } from "./fingerprint.ts";
import { readObject, type ObjectContent } from "./objects.ts";

export type FileState = "copied" | "notFound" | "failed";

export interface FilesVerdict {
  problems: Finding[];
  /** Source document id → state of each of its files. */
  files: Map<string, FileState[]>;
  /** Source file id → its state. */
  states: Map<string, FileState>;
  /** Keys of the destination that an exchange accounts for. */
  keys: Set<string>;
}

const readsAtOnce = 16;

/** Reads every selected file on both sides and compares the bytes. */
export async function compareFiles(
  access: CaseAccess,
  carrying: Carrying,
  destinationCaseId: number,
): Promise<FilesVerdict> {
  const verdict: FilesVerdict = { problems: [], files: new Map(), states: new Map(), keys: new Set() };
  const { s3, caseBucket } = access;
  const queue = new PQueue({ concurrency: readsAtOnce });
  const reads = new Map<string, Promise<ObjectContent | undefined>>();
  // Several rows may mean one object of the source; it is read once.
  const read = (key: string) => {
    const reading = reads.get(key) ?? queue.add(() => readObject(s3, caseBucket, key));
    reads.set(key, reading);
    return reading;
  };
  const arrived = new Map(
    (carrying.destination.tables.get("document_variants")?.rows ?? []).map((row) => [row["id"], row]),
  );
  const files = carrying.scope.get("document_variants") ?? [];
  const judged = await Promise.all(
    files.map(async (file) => {
      const target = arrived.get(targetOf(carrying, "document_variants", String(file["id"])) ?? null);
      const targetKey = target?.["s3_key"] ?? null;
      const contents = Promise.all([read(String(file["s3_key"])), targetKey === null ? undefined : read(targetKey)]);
      const isProduced = carrying.exchange.annotated !== undefined && file["role"] === "document";
      return { file, targetKey, ...judge(file, targetKey, ...(await contents), destinationCaseId, isProduced) };
    }),
  );
  for (const { file, targetKey, state, problems } of judged) {
    const documentId = String(file["document_id"]);
    verdict.files.set(documentId, [...(verdict.files.get(documentId) ?? []), state]);
    verdict.states.set(String(file["id"]), state);
    verdict.problems.push(
      ...problems.map(({ about, text }) => ({ about, text: `file ${String(file["id"])} (${shown(file)}) ${text}` })),
    );
    if (targetKey !== null) verdict.keys.add(targetKey);
  }
  return verdict;
}

function judge(
  file: Row,
  targetKey: string | null,
  source: ObjectContent | undefined,
  target: ObjectContent | undefined,
  destinationCaseId: number,
  /** Its bytes are judged elsewhere, because annotations became part of them. */
  isProduced: boolean,
): { state: FileState; problems: Finding[] } {
  const failed = (text: string, about: Finding["about"] = "wrong file") => ({
    state: "failed" as const,
    problems: [{ about, text }],
  });
  // A row that has not arrived is a problem of the rows, and said there.
  if (targetKey === null) return { state: "failed", problems: [] };
  if (!targetKey.startsWith(casePrefix(destinationCaseId))) {
    return failed(`is said to lie at ${targetKey}, outside of the destination case`);
  }
  if (!source) {
    if (!target) return { state: "notFound", problems: [] };
    return failed(`is missing in the source, yet there is an object at ${targetKey}`);
  }
  if (!target) return failed(`is missing in the destination: there is no object at ${targetKey}`, "missing file");
  if (isProduced) return { state: "copied", problems: [] };
  if (source.sha256 !== target.sha256) return failed(`differs from its source at ${targetKey}`);
  const problems: Finding[] = [];
  const problem = (text: string) => problems.push({ about: "wrong file", text });
  if (file["sha256"] !== null && file["sha256"] !== source.sha256) problem("is not what its source row says");
  if (source.contentType !== target.contentType || source.metadata !== target.metadata) {
    problem(`has lost its content type or metadata at ${targetKey}`);
  }
  return { state: "copied", problems };
}

/** What happened to a document: the worst that happened to one of its files. */
export function documentState(files: readonly FileState[]): FileState {
  if (files.includes("failed")) return "failed";
  return files.includes("notFound") ? "notFound" : "copied";
}

function shown(file: Row): string {
  const key = String(file["s3_key"]);
  return key.length > 200 ? `${key.slice(0, 200)}…` : key;
}
