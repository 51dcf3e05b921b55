/** The Compact Font Format (Adobe Technical Note 5176): names and notices are written over, offsets stay as they are. */
import { FilterFault } from "./filters.ts";

interface Index {
  /** Begin of each element, and the end of the last. */
  offsets: number[];
  end: number;
}

/** Operators of the Top DICT whose operand is the number of a string: version, notice, names, weight. */
const textOperators = new Set([0, 1, 2, 3, 4, 1200, 1221, 1222, 1238]);
const registryOrderingSupplement = 1230;
const standardStrings = 391;

/** @throws FilterFault where a glyph's name quotes, RangeError where it is cut short */
export function withoutNames(program: Buffer, isQuoting: (text: string) => boolean): Buffer {
  const out = Buffer.from(program);
  const names = indexAt(out, out.readUInt8(2));
  const tops = indexAt(out, names.end);
  const strings = indexAt(out, tops.end);
  overwrite(out, names.offsets[0] ?? 0, names.offsets.at(-1) ?? 0);
  const texts = new Set<number>();
  for (const [from, to] of elementsOf(tops)) {
    for (const { operator, operands } of operatorsIn(out.subarray(from, to))) {
      if (textOperators.has(operator)) texts.add(operands.at(-1) ?? -1);
      else if (operator === registryOrderingSupplement) for (const string of operands.slice(0, 2)) texts.delete(string);
    }
  }
  for (const [number, [from, to]] of elementsOf(strings).entries()) {
    if (texts.has(number + standardStrings)) overwrite(out, from, to);
    else if (isQuoting(out.toString("latin1", from, to)))
      throw new FilterFault("the name of a glyph in its font quotes");
  }
  return out;
}

function overwrite(out: Buffer, from: number, to: number): void {
  out.fill("A", from, to, "latin1");
}

function indexAt(bytes: Buffer, at: number): Index {
  const count = bytes.readUInt16BE(at);
  if (count === 0) return { offsets: [], end: at + 2 };
  const size = bytes.readUInt8(at + 2);
  if (size < 1 || size > 4) throw new FilterFault("its font program does not hold");
  const base = at + 2 + (count + 1) * size;
  const offsets = Array.from({ length: count + 1 }, (_, index) => base + bytes.readUIntBE(at + 3 + index * size, size));
  const end = offsets.at(-1) ?? 0;
  if (end > bytes.length || offsets.some((offset, index) => offset < (offsets[index - 1] ?? 0))) {
    throw new FilterFault("its font program does not hold");
  }
  return { offsets, end };
}

function elementsOf({ offsets }: Index): [number, number][] {
  return offsets.slice(0, -1).map((from, index) => [from, offsets[index + 1] ?? from]);
}

function operatorsIn(dict: Buffer): { operator: number; operands: number[] }[] {
  const found: { operator: number; operands: number[] }[] = [];
  let operands: number[] = [];
  for (let at = 0; at < dict.length;) {
    const byte = dict.readUInt8(at++);
    if (byte <= 21) {
      const operator = byte === 12 ? 1200 + dict.readUInt8(at++) : byte;
      found.push({ operator, operands });
      operands = [];
    } else if (byte === 28) {
      operands.push(dict.readInt16BE(at));
      at += 2;
    } else if (byte === 29) {
      operands.push(dict.readInt32BE(at));
      at += 4;
    } else if (byte === 30) {
      while (at < dict.length && (dict.readUInt8(at) & 15) !== 15 && dict.readUInt8(at) >> 4 !== 15) at++;
      at++;
      operands.push(0);
    } else if (byte <= 246) operands.push(byte - 139);
    else if (byte <= 250) operands.push((byte - 247) * 256 + dict.readUInt8(at++) + 108);
    else operands.push(-(byte - 251) * 256 - dict.readUInt8(at++) - 108);
  }
  return found;
}
