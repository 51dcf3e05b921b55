const comQuery = 0x03;
const comStmtPrepare = 0x16;
const comStmtExecute = 0x17;
const headerBytes = 4;
/** A packet of this length goes on in the next one. */
const longest = 0xffffff;

/** What a client has asked the server, of MySQL's protocol as far as it matters here. */
export type Command =
  | { readonly kind: "query"; readonly sql: string }
  | { readonly kind: "prepare"; readonly sql: string }
  | { readonly kind: "execute"; readonly statement: number }
  | { readonly kind: "other" };

/**
 * Cuts what a client sends into whole commands. Packets with a sequence number other than 0 belong to the handshake;
 * they are given on as they are.
 */
export class CommandReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The commands that are whole by now, each with the bytes that it came in. */
  read(chunk: Buffer): { command: Command; bytes: Buffer }[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const found: { command: Command; bytes: Buffer }[] = [];
    for (let taken = takeMessage(this.#rest); taken; taken = takeMessage(this.#rest)) {
      found.push({ command: taken.sequence === 0 ? parse(taken.payload) : { kind: "other" }, bytes: taken.bytes });
      this.#rest = this.#rest.subarray(taken.bytes.length);
    }
    return found;
  }
}

/** One message, of one packet or more; nothing when it is not whole yet. */
function takeMessage(data: Buffer): { sequence: number; payload: Buffer; bytes: Buffer } | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; at + headerBytes <= data.length;) {
    const length = data.readUIntLE(at, 3);
    const end = at + headerBytes + length;
    if (end > data.length) return undefined;
    parts.push(data.subarray(at + headerBytes, end));
    if (length < longest)
      return { sequence: data[3] ?? 0, payload: Buffer.concat(parts), bytes: data.subarray(0, end) };
    at = end;
  }
  return undefined;
}

function parse(payload: Buffer): Command {
  switch (payload.at(0) ?? 0) {
    case comQuery:
      return { kind: "query", sql: payload.toString("utf8", 1) };
    case comStmtPrepare:
      return { kind: "prepare", sql: payload.toString("utf8", 1) };
    case comStmtExecute:
      return { kind: "execute", statement: payload.readUInt32LE(1) };
    default:
      return { kind: "other" };
  }
}

/** The number that a server gives a prepared statement, in its answer to the preparation. */
export function preparedStatement(answer: Buffer): number | undefined {
  return answer.length >= headerBytes + 5 && answer[headerBytes] === 0
    ? answer.readUInt32LE(headerBytes + 1)
    : undefined;
}
