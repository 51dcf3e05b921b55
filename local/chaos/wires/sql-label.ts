import type { Seen } from "./switchboard.ts";
import { uuid } from "./aws-label.ts";

/** One statement that writes. */
export interface Write {
  readonly verb: string;
  readonly table: string;
  /** Column → literal, or an empty text for an expression. */
  readonly values: ReadonlyMap<string, string>;
}

/** Names of columns that every write has, or that repeat what the others say. */
const telltales = new Set(["state", "to_state", "kind", "purpose", "message_id", "event_type", "attempt"]);
const dull = new Set(["updated_at", "signals", "state_since", "waiting", "at"]);
/** Columns that say something only where nothing else is written. */
const minor = new Set(["wake_at", "lease_until"]);

/** What a write is, out of its statement's text; nothing for what only reads. */
export function parseWrite(sql: string): Write | undefined {
  const tokens = tokenize(sql);
  const verb = tokens[0]?.toLowerCase() ?? "";
  if (verb === "update") return { verb, table: name(tokens[1]), values: assignments(tokens) };
  if (verb === "insert" || verb === "replace") {
    const into = tokens.findIndex((token) => token.toLowerCase() === "into");
    return { verb, table: name(tokens[into + 1]), values: inserted(tokens.slice(into + 2)) };
  }
  if (verb === "delete") return { verb, table: name(tokens[2]), values: new Map() };
  if (["create", "alter", "drop", "truncate", "rename"].includes(verb)) {
    return { verb, table: name(tokens[2]), values: new Map() };
  }
  return undefined;
}

/** The point of one or more writes that become true together. */
export function nameWrites(writes: readonly Write[]): Seen {
  const labels = [...new Set(writes.map(nameWrite))];
  return {
    wire: "sql",
    label: `sql.${labels.join(" + ")}`,
    mutates: true,
    periodic: writes.every(isPeriodic),
  };
}

function nameWrite({ verb, table, values }: Write): string {
  const columns = [...values.keys()].filter(
    (column) => telltales.has(column) || (verb === "update" && !dull.has(column)),
  );
  const major = columns.filter((column) => !minor.has(column));
  const told = (major.length > 0 ? major : columns).map((column) => {
    const value = values.get(column) ?? "";
    return telltales.has(column) && value !== "" ? `${column}=${value.replace(uuid, "*")}` : column;
  });
  return `${verb} ${table}${told.length > 0 ? `(${told.join(" ")})` : ""}`;
}

/** Leases, heartbeats and looks into the outbox come as time passes. */
function isPeriodic({ verb, table, values }: Write): boolean {
  if (verb !== "update") return false;
  const columns = [...values.keys()].filter((column) => !dull.has(column));
  const only = (...allowed: string[]) => columns.every((column) => allowed.includes(column));
  if (table === "exchanges") return columns.includes("lease_until") && only("lease_owner", "lease_until", "wake_at");
  return table === "operations" ? only("heartbeat_at") : table === "outbox" && only("next_at", "attempts");
}

function assignments(tokens: readonly string[]): Map<string, string> {
  const from = tokens.findIndex((token) => token.toLowerCase() === "set") + 1;
  const parts = split(tokens.slice(from, topLevel(tokens, "where", from)));
  return new Map(parts.map(([column, , ...value]) => [name(column), literal(value)]));
}

function inserted(tokens: readonly string[]): Map<string, string> {
  const close = tokens.indexOf(")");
  const columns = split(tokens.slice(1, close)).map(([column]) => name(column));
  const open = tokens.indexOf("(", close + 1);
  const values = split(tokens.slice(open + 1, topLevel(tokens, ")", open + 1)));
  return new Map(columns.map((column, index) => [column, literal(values[index] ?? [])]));
}

/** Where a token stands outside all brackets, from `from` on; the end when it does not. */
function topLevel(tokens: readonly string[], wanted: string, from: number): number {
  for (let at = from, depth = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? "";
    if (depth === 0 && token.toLowerCase() === wanted) return at;
    if (token === "(") depth++;
    if (token === ")") depth--;
  }
  return tokens.length;
}

/** Parts between commas outside all brackets. */
function split(tokens: readonly string[]): string[][] {
  const parts: string[][] = [];
  for (let rest = tokens; rest.length > 0;) {
    const comma = topLevel(rest, ",", 0);
    parts.push(rest.slice(0, comma));
    rest = rest.slice(comma + 1);
  }
  return parts;
}

function literal(tokens: readonly string[]): string {
  const [only = ""] = tokens;
  if (tokens.length !== 1) return "";
  if (/^\d+$/.test(only)) return only;
  // Long texts are documents, and differ.
  return /^'[^'\s]{1,120}'$/.test(only) ? only.slice(1, -1) : "";
}

/** An identifier without quotes and without its schema. */
function name(token: string | undefined): string {
  return (token ?? "").replaceAll("`", "").split(".").at(-1) ?? "";
}

/** Strings, quoted and plain words, numbers, and single signs. */
function tokenize(sql: string): string[] {
  return (
    sql.match(/'(?:[^'\\]|\\.|'')*'|(?:`[^`]*`|[A-Za-z_][\w$]*)(?:\.(?:`[^`]*`|[A-Za-z_][\w$]*))*|\d+|[^\s]/gs) ?? []
  );
}
