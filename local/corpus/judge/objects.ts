import { decoded } from "./filters.ts";
import type { Finding } from "./redaction.ts";
import { piecesOf } from "./tokens.ts";

/** Things that show a page a second time, by the name that stands before them. */
const copies: Readonly<Record<string, string>> = {
  Thumb: "a small picture of a page",
  PieceInfo: "private data of another program",
  XFA: "a second form",
};

/** What the objects of a file with redactions must not have, whether or not anything refers to them. */
export function judgeObjects(bytes: Uint8Array, pages: number): Finding[] {
  const seen = { pages: 0, revisions: 0, copies: new Set<string>() };
  count(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), seen);
  const whats = [...seen.copies];
  if (seen.pages > pages) whats.push(`${seen.pages - pages} pages that do not belong to it`);
  if (seen.revisions > 1) whats.push("earlier revisions");
  return whats.map((what) => ({ where: "objects", what: `there is ${what}` }));
}

function count(bytes: Buffer, seen: { pages: number; revisions: number; copies: Set<string> }): void {
  let last = "";
  for (const { kind, bytes: own, dictionary } of piecesOf(bytes)) {
    const text = kind === "stream" ? "" : own.toString("latin1");
    if (kind === "name") {
      if (last === "Type" && text === "Page") seen.pages++;
      const copy = Object.hasOwn(copies, text) ? copies[text] : undefined;
      if (copy !== undefined) seen.copies.add(copy);
    } else if (kind === "comment" && text.startsWith("%EOF")) seen.revisions++;
    else if (kind === "stream" && /\/Type\s*\/ObjStm\b/.test(dictionary)) {
      count(decoded(own, dictionary) ?? Buffer.alloc(0), seen);
    }
    last = kind === "name" ? text : "";
  }
}
