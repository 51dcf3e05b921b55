/** CMaps (ISO 32000-1, 9.7.5 and 9.10.3): their mappings, written anew; names, comments and programs go. */
import { PermanentError } from "../../../contracts/errors.ts";
import { unreadable } from "./faults.ts";
import type { Place } from "./faults.ts";
import { Tokens } from "./tokens.ts";
import type { Token } from "./tokens.ts";

/** What the entries of a section consist of: `c` code, `n` number, `u` text in UTF-16, `l` text or list of texts. */
const sections: Readonly<Record<string, string>> = {
  ...{ codespacerange: "cc", bfchar: "cu", bfrange: "ccl", cidchar: "cn", cidrange: "ccn", notdefchar: "cn" },
  ...{ notdefrange: "ccn" },
};
const largestSection = 100;

/** @param isQuoting decides on the texts that single codes stand for */
export function rewriteCMap(content: Buffer, place: Place, isQuoting: (text: string) => boolean): Buffer {
  const tokens = new Tokens(content, place);
  const out: string[] = [];
  let section: string | undefined;
  let pending: Token[] = [];
  let vertical = false;
  for (let token = nextOf(tokens); token !== undefined; token = nextOf(tokens)) {
    if (token.type !== "word") {
      if (section !== undefined || pending.length < 2) pending.push(token);
      else pending = [...pending.slice(-1), token];
      continue;
    }
    if (token.word.startsWith("begin") && Object.hasOwn(sections, token.word.slice(5))) section = token.word.slice(5);
    else if (section !== undefined && token.word === `end${section}`) {
      writeSection(out, section, pending, new Texts(content, place, isQuoting));
      section = undefined;
    } else if (token.word === "def") vertical ||= isVertical(pending);
    pending = [];
  }
  return Buffer.from(wrapped(out, vertical), "latin1");
}

/** A mapping ends where it cannot be read on: what it maps until then is right, and no glyph depends on the rest. */
function nextOf(tokens: Tokens): Token | undefined {
  try {
    return tokens.next();
  } catch (cause) {
    if (cause instanceof PermanentError && cause.code === "PDF_UNREADABLE_PART") return undefined;
    throw cause;
  }
}

function isVertical([name, value]: readonly Token[]): boolean {
  return name?.type === "name" && name.name === "WMode" && value?.type === "number" && Number(value.text) === 1;
}

function writeSection(out: string[], section: string, pending: readonly Token[], texts: Texts): void {
  const shape = sections[section] ?? "";
  const entries: string[] = [];
  for (let at = 0; at + shape.length <= pending.length; at += shape.length) {
    const parts = Array.from(shape, (kind, index) => texts.part(pending[at + index], kind));
    if (parts.every((part) => part !== undefined)) entries.push(parts.join(" "));
  }
  for (let at = 0; at < entries.length; at += largestSection) {
    const some = entries.slice(at, at + largestSection);
    out.push(`${some.length} begin${section}`, ...some, `end${section}`);
  }
}

class Texts {
  readonly #content: Buffer;
  readonly #place: Place;
  readonly #isQuoting: (text: string) => boolean;

  constructor(content: Buffer, place: Place, isQuoting: (text: string) => boolean) {
    this.#content = content;
    this.#place = place;
    this.#isQuoting = isQuoting;
  }

  /** As it is written anew; undefined where it is of another kind, or quotes. */
  part(token: Token | undefined, kind: string): string | undefined {
    switch (kind) {
      case "n":
        return token?.type === "number" ? String(Math.trunc(Number(token.text))) : undefined;
      case "c":
        return this.#hex(token);
      case "u":
        return this.#text(token);
      default: {
        if (token?.type !== "array") return this.#text(token);
        const parts = token.elements.map((element) => this.#text(element) ?? "<FFFD>");
        return `[${parts.join(" ")}]`;
      }
    }
  }

  #hex(token: Token | undefined): string | undefined {
    if (token?.type !== "string") return undefined;
    const written = this.#content.toString("latin1", token.from, token.to);
    if (!written.startsWith("<")) throw unreadable(this.#place, "a code of its CMap is not hexadecimal");
    const digits = written.replaceAll(/[^\dA-Fa-f]/g, "").toUpperCase();
    return `<${digits.length % 2 === 0 ? digits : `${digits}0`}>`;
  }

  #text(token: Token | undefined): string | undefined {
    const hex = this.#hex(token);
    if (hex === undefined || hex.length <= 6) return hex;
    const bytes = Buffer.from(hex.slice(1, -1), "hex");
    const text = bytes.length % 2 === 0 ? Buffer.from(bytes).swap16().toString("utf16le") : bytes.toString("latin1");
    return this.#isQuoting(text) ? undefined : hex;
  }
}

function wrapped(sections: readonly string[], vertical: boolean): string {
  return [
    "/CIDInit /ProcSet findresource begin",
    "12 dict begin",
    "begincmap",
    "/CMapName /CMap1 def",
    "/CMapType 2 def",
    ...(vertical ? ["/WMode 1 def"] : []),
    ...sections,
    "endcmap",
    "CMapName currentdict /CMap defineresource pop",
    "end",
    "end",
    "",
  ].join("\n");
}
