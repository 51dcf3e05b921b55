/** The operators of content streams (ISO 32000-1, annex A) and what they take. */
import type { Operand, Token } from "./tokens.ts";

/**
 * One letter an operand: `n` number, `s` string, `/` name, `[` array of numbers, `t` array of strings and numbers; `*` takes
 * any number of numbers and perhaps a name.
 */
export const operators: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ q: "", Q: "", cm: "nnnnnn", w: "n", J: "n", j: "n", M: "n", d: "[n", ri: "/", i: "n", gs: "/" },
    ...{ m: "nn", l: "nn", c: "nnnnnn", v: "nnnn", y: "nnnn", h: "", re: "nnnn" },
    ...{ S: "", s: "", f: "", F: "", "f*": "", B: "", "B*": "", b: "", "b*": "", n: "", W: "", "W*": "" },
    ...{ BT: "", ET: "", Tc: "n", Tw: "n", Tz: "n", TL: "n", Tf: "/n", Tr: "n", Ts: "n" },
    ...{ Td: "nn", TD: "nn", Tm: "nnnnnn", "T*": "", Tj: "s", TJ: "t", "'": "s", '"': "nns" },
    ...{ d0: "nn", d1: "nnnnnn" },
    ...{
      CS: "/",
      cs: "/",
      SC: "*",
      SCN: "*",
      sc: "*",
      scn: "*",
      G: "n",
      g: "n",
      RG: "nnn",
      rg: "nnn",
      K: "nnnn",
      k: "nnnn",
    },
    ...{ sh: "/", Do: "/" },
  }),
);

/** Paint the path that was made; without paint it still ends, and clips. */
export const paintsPath = new Set(["S", "s", "f", "F", "f*", "B", "B*", "b", "b*"]);
export const showsText = new Set(["Tj", "TJ", "'", '"']);
/** Begin a line of text whose place does not depend on what was shown before. */
export const placesText = new Set(["Td", "TD", "Tm", "T*", "'", '"', "BT"]);

/** Whether a string, or one of an array, has a glyph to show. */
export function hasGlyphs(operand: Token): boolean {
  if (operand.type === "array") return operand.elements.some(hasGlyphs);
  return operand.type === "string" && operand.to - operand.from > 2;
}

/** Operands that look like operators. */
export function isConstant(word: string): boolean {
  return word === "true" || word === "false" || word === "null";
}

const zero: Operand = { type: "number", text: "0" };

/** The last operands, as readers take them; missing numbers count as zero. Undefined where they are of another type. */
export function lastOperands(operands: readonly Operand[], wanted: string): Operand[] | undefined {
  if (wanted === "") return [];
  if (operands.length === 0) return undefined;
  const taken = operands.slice(-wanted.length);
  while (taken.length < wanted.length) taken.unshift(zero);
  for (let index = 0; index < taken.length; index++) {
    if (!fits(taken[index] ?? zero, wanted.charAt(index))) return undefined;
  }
  return taken;
}

function fits(operand: Operand, wanted: string): boolean {
  switch (wanted) {
    case "n":
      return operand.type === "number";
    case "s":
      return operand.type === "string";
    case "/":
      return operand.type === "name";
    case "[":
      return operand.type === "array" && operand.elements.every(({ type }) => type === "number");
    default:
      return operand.type === "array" && operand.elements.every(({ type }) => type === "number" || type === "string");
  }
}

/** Numbers of a colour, and the name of a pattern. */
const mostColorants = 33;

export function colorOperands(operands: readonly Operand[]): Operand[] | undefined {
  const last = operands.length - 1;
  const isRight = operands.every(({ type }, index) => type === "number" || (type === "name" && index === last));
  return isRight && operands.length <= mostColorants ? [...operands] : undefined;
}
