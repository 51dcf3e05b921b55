import type { z } from "zod";
import type { WireError } from "./errors.ts";
import { PermanentError } from "./errors.ts";
import { rowId } from "./ids.ts";
import type { Stage } from "./ledger.ts";
import { fileRole, manifestLine, type FileRole, type ManifestLine } from "./manifest.ts";
import { stagesOf } from "./plan.ts";
import type { ExchangeRequest } from "./request.ts";

/** More than a document with as many exhibits as one message can name; a longer line is refused without being kept. */
const longestLineBytes = 4 * 1024 * 1024;

/** Characters of a wrong value, and problems of one record, that an error names. */
const longestValue = 120;
const mostProblems = 5;

/** A record of the manifest that fits its contract. */
interface FittingRecord {
  readonly kind: "document";
  /** Where it stands: `line-<part>-<line>`. */
  readonly place: string;
  readonly line: ManifestLine;
}

/** A record that does not fit: its document fails by name, with all of its files that can be made out. */
export interface RefusedRecord {
  readonly kind: "refused";
  readonly place: string;
  /** Null where the record does not say. */
  readonly documentId: string | null;
  readonly files: readonly { readonly fileId: string; readonly role: FileRole }[];
  readonly error: WireError;
}

export type ManifestRecord = FittingRecord | RefusedRecord;

/**
 * Reads the records of one part of the manifest, a JSON object a line; blank lines hold none. A line that cannot be read
 * is a refused record, and the next record begins after the next newline.
 *
 * @param partKey names the part, see `manifestPrefix`
 * @param open begins to read the part's bytes
 * @throws PermanentError INVALID_MANIFEST when the key is not that of a part
 */
export async function* readManifest(
  partKey: string,
  open: () => Promise<AsyncIterable<Uint8Array>>,
): AsyncGenerator<ManifestRecord> {
  const part = /\/part-(\d{1,6})\.jsonl$/.exec(partKey)?.[1];
  if (part === undefined) {
    throw new PermanentError("INVALID_MANIFEST", `${partKey} is not named like a part of a manifest`);
  }
  let number = 0;
  for await (const line of linesOf(await open())) {
    number += 1;
    const place = `line-${Number(part)}-${number}`;
    const record = recordOf(line, place, `line ${number} of ${partKey}`);
    if (record) yield record;
  }
}

/** One line as it was found; of one that is too long only the beginning. */
export interface Line {
  readonly bytes: Uint8Array;
  readonly isWhole: boolean;
}

/**
 * The lines of a stream, without their ends. Only the newline ends a line: file names may hold the separators of Unicode
 * at which others break lines (U+2028, U+2029, U+0085), and a carriage return. Holds one line at a time.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  longestBytes = longestLineBytes,
): AsyncGenerator<Line> {
  let pieces: Uint8Array[] = [];
  let kept = 0;
  let isWhole = true;
  const add = (piece: Uint8Array) => {
    const fitting = piece.subarray(0, longestBytes - kept);
    isWhole &&= fitting.length === piece.length;
    if (fitting.length === 0) return;
    pieces.push(fitting);
    kept += fitting.length;
  };
  const take = (): Line => {
    const line = { bytes: Buffer.concat(pieces), isWhole };
    [pieces, kept, isWhole] = [[], 0, true];
    return line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      add(chunk.subarray(from, end));
      yield take();
      from = end + 1;
    }
    add(chunk.subarray(from));
  }
  if (kept > 0) yield take();
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Null for a blank line. */
function recordOf({ bytes, isWhole }: Line, place: string, where: string): ManifestRecord | null {
  const text = Buffer.from(bytes).toString("utf8");
  if (isWhole && text.trim() === "") return null;
  if (!isWhole) return refused(place, text, undefined, `${where} has more than ${bytes.length} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(bytes));
  } catch {
    return refused(place, text, undefined, `${where} is not JSON in UTF-8`);
  }
  const parsed = manifestLine.safeParse(json);
  if (!parsed.success) return refused(place, text, json, `${where} does not fit: ${problemsOf(parsed.error, json)}`);
  const twice = repeatedFile(parsed.data);
  if (twice !== undefined) return refused(place, text, json, `${where} names file ${twice} twice`);
  return { kind: "document", place, line: parsed.data };
}

function repeatedFile({ files }: ManifestLine): string | undefined {
  const seen = new Set<string>();
  return files.find(({ fileId }) => seen.size === seen.add(fileId).size)?.fileId;
}

function refused(place: string, text: string, json: unknown, message: string): RefusedRecord {
  const error = { code: "INVALID_RECORD", message };
  return { kind: "refused", place, documentId: documentOf(json, text), files: filesOf(json), error };
}

/** The document that a record is about; of what is no JSON, what stands where a record has it. */
function documentOf(json: unknown, text: string): string | null {
  const found = json === undefined ? /"documentId"\s*:\s*"([^"]{1,20})"/.exec(text)?.[1] : memberOf(json, "documentId");
  return rowId.safeParse(found).data ?? null;
}

/** The files of a record that can be identified, each once. */
function filesOf(json: unknown): RefusedRecord["files"] {
  const listed = memberOf(json, "files");
  const files = new Map<string, FileRole>();
  for (const file of Array.isArray(listed) ? listed : []) {
    const fileId = rowId.safeParse(memberOf(file, "fileId")).data;
    const role = fileRole.safeParse(memberOf(file, "role")).data;
    if (fileId !== undefined && role !== undefined && !files.has(fileId)) files.set(fileId, role);
  }
  return [...files].map(([fileId, role]) => ({ fileId, role }));
}

function memberOf(json: unknown, name: string): unknown {
  if (typeof json !== "object" || json === null || !Object.hasOwn(json, name)) return undefined;
  return (json as Record<string, unknown>)[name];
}

/** Each wrong field with its value, of a few. */
function problemsOf({ issues }: z.ZodError, json: unknown): string {
  const named = issues.slice(0, mostProblems).map(({ path, message }) => {
    const value = path.reduce<unknown>((inner, step) => memberOf(inner, String(step)), json);
    const field = path.length > 0 ? path.join(".") : "the record";
    return `${field} ${cut(message)}${value === undefined || typeof value === "object" ? "" : ` (${cut(JSON.stringify(value))})`}`;
  });
  const more = issues.length > named.length ? `, and ${issues.length - named.length} problems more` : "";
  return `${named.join("; ")}${more}`;
}

function cut(text: string): string {
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}

/** A piece of work that has to come to a final state in one stage. */
export interface ManifestUnit {
  readonly stage: Stage;
  readonly unitId: string;
  readonly role: FileRole;
  /** The document or, of a record that names none, its place. */
  readonly documentId: string;
}

/**
 * The units of one record under a request: what the payload Lambda counts, and what the engine expects. A refused record
 * has at least one, so that its document is named: where no file of it would travel, its place in the manifest.
 */
export function unitsOf(record: ManifestRecord, request: Pick<ExchangeRequest, "annotations">): ManifestUnit[] {
  if (record.kind === "document") {
    const { documentId, files } = record.line;
    return files.flatMap((file) => unitsOfFile(file, documentId, request));
  }
  const documentId = record.documentId ?? record.place;
  const units = record.files.flatMap((file) => unitsOfFile(file, documentId, request));
  return units.length > 0 ? units : unitsOfFile({ fileId: record.place, role: "document" }, documentId, request);
}

function unitsOfFile(
  { fileId, role }: { readonly fileId: string; readonly role: FileRole },
  documentId: string,
  request: Pick<ExchangeRequest, "annotations">,
): ManifestUnit[] {
  return stagesOf(role, request).map((stage) => ({ stage, unitId: fileId, role, documentId }));
}
