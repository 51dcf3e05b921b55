import { OperationReader, type Operand } from "./tokens.ts";

/** The codes of one length that a character map knows. */
interface CodeRange {
  length: number;
  low: number;
  high: number;
}
interface CidRange extends CodeRange {
  cid: number;
}

/** How the strings of a composite font fall into codes, and which glyph a code means. */
export interface CharacterMap {
  /** Undefined where a range of code lengths decides; then codes have one or two bytes as `isLead` says. */
  codes: CodeRange[];
  cids: CidRange[] | "identity" | "unknown";
  isVertical: boolean;
}

const one = (low: number, high: number): CodeRange => ({ length: 1, low, high });
const two = (low: number, high: number): CodeRange => ({ length: 2, low, high });

/** The code lengths of the predefined character maps, by what their names hold. */
const predefined: [RegExp, CodeRange[]][] = [
  [/RKSJ/, [one(0, 0x80), one(0xa0, 0xdf), two(0x8140, 0x9ffc), two(0xe040, 0xfcfc)]],
  [/UTF32/, [{ length: 4, low: 0, high: 0x10ffff }]],
  [/UTF16/, [two(0, 0xd7ff), { length: 4, low: 0xd800dc00, high: 0xdbffdfff }, two(0xe000, 0xffff)]],
  [/UCS2/, [two(0, 0xffff)]],
  [/EUC|GBK|GBpc|KSC(?:ms|pc)|B5|ETen|HKscs|90pv|CNS-EUC/, [one(0, 0x80), two(0x8140, 0xfefe)]],
];

/** The map of a name that every viewer knows. */
export function predefinedMap(name: string): CharacterMap {
  const [, codes = [two(0, 0xffff)]] = predefined.find(([pattern]) => pattern.test(name)) ?? [];
  return { codes, cids: name.startsWith("Identity") ? "identity" : "unknown", isVertical: /(?:^|-)V$/.test(name) };
}

/** The map that a file brings along. `used` is the one that it begins with. */
export function embeddedMap(stream: Uint8Array, used: CharacterMap | undefined, isVertical: boolean): CharacterMap {
  const codes: CodeRange[] = [...(used?.codes ?? [])];
  const cids: CidRange[] = [];
  for (const { name, operands } of new OperationReader(stream).read()) {
    if (name === "endcodespacerange") for (const range of pairs(operands, 2)) codes.push(rangeOf(range[0], range[1]));
    if (name === "endcidrange") {
      for (const [low, high, cid] of pairs(operands, 3)) cids.push({ ...rangeOf(low, high), cid: numberOf(cid) });
    }
    if (name === "endcidchar") {
      for (const [char, cid] of pairs(operands, 2)) cids.push({ ...rangeOf(char, char), cid: numberOf(cid) });
    }
  }
  const inherited = used && used.cids !== "unknown" && cids.length === 0 ? used.cids : undefined;
  return { codes: codes.length ? codes : [two(0, 0xffff)], cids: inherited ?? cids, isVertical };
}

function pairs(operands: readonly Operand[], size: number): Operand[][] {
  return Array.from({ length: Math.floor(operands.length / size) }, (_, at) =>
    operands.slice(at * size, (at + 1) * size),
  );
}

function rangeOf(low: Operand | undefined, high: Operand | undefined): CodeRange {
  const [from, to] = [bytesOf(low), bytesOf(high)];
  return { length: Math.max(1, from.length), low: valueOf(from), high: valueOf(to) };
}

const bytesOf = (operand: Operand | undefined) => (operand?.kind === "string" ? operand.value : new Uint8Array());
const numberOf = (operand: Operand | undefined) => (operand?.kind === "number" ? operand.value : 0);
const valueOf = (bytes: Uint8Array) => bytes.reduce((value, byte) => value * 256 + byte, 0);

/** Splits a string into codes. A byte that begins no code is one of its own. */
export function codesIn(bytes: Uint8Array, { codes }: CharacterMap): { value: number; length: number }[] {
  const longest = Math.max(...codes.map(({ length }) => length));
  const shortest = Math.min(...codes.map(({ length }) => length));
  const found: { value: number; length: number }[] = [];
  for (let at = 0; at < bytes.length;) {
    let hit: { value: number; length: number } | undefined;
    for (let length = shortest; length <= longest && !hit; length++) {
      const value = valueOf(bytes.subarray(at, at + length));
      if (codes.some((range) => range.length === length && isIn(value, range))) hit = { value, length };
    }
    const taken = hit ?? { value: valueOf(bytes.subarray(at, at + shortest)), length: shortest };
    found.push({ ...taken, length: Math.min(taken.length, bytes.length - at) });
    at += taken.length;
  }
  return found;
}

/** A range of codes is one for each of their bytes. */
function isIn(value: number, { length, low, high }: CodeRange): boolean {
  for (let byte = 0; byte < length; byte++) {
    const divisor = 256 ** byte;
    const part = (whole: number) => Math.floor(whole / divisor) % 256;
    if (part(value) < part(low) || part(value) > part(high)) return false;
  }
  return true;
}

/** The glyph of a code; undefined where the file does not say. */
export function cidOf(
  { value, length }: { value: number; length: number },
  { cids }: CharacterMap,
): number | undefined {
  if (cids === "identity") return value;
  if (cids === "unknown") return undefined;
  const range = cids.findLast((known) => known.length === length && value >= known.low && value <= known.high);
  return range ? range.cid + value - range.low : 0;
}
