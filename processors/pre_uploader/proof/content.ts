/**
 * Content streams as the rebuild writes them, and nothing else. It shares no parser with what writes (rebuild/tokens.ts):
 * what that one takes for something else would pass here for the same reason.
 */
import { Fault, Lexer, Name, Word } from "./syntax.ts";
import type { Value } from "./syntax.ts";

/**
 * The operands of the operators that draw (ISO 32000-1, Annex A): `n` a number, `/` a name, `s` a string, `a` an array of
 * numbers, `t` one of strings and numbers, `*` any numbers, `?` perhaps a name.
 */
const operands: Readonly<Record<string, string>> = {
  ...{ q: "", Q: "", cm: "nnnnnn", w: "n", J: "n", j: "n", M: "n", d: "an", ri: "/", i: "n", gs: "/" },
  ...{ m: "nn", l: "nn", c: "nnnnnn", v: "nnnn", y: "nnnn", h: "", re: "nnnn" },
  ...{ S: "", s: "", f: "", F: "", "f*": "", B: "", "B*": "", b: "", "b*": "", n: "", W: "", "W*": "" },
  ...{ BT: "", ET: "", Tc: "n", Tw: "n", Tz: "n", TL: "n", Tf: "/n", Tr: "n", Ts: "n", Td: "nn", TD: "nn" },
  ...{ Tm: "nnnnnn", "T*": "", Tj: "s", TJ: "t", "'": "s", '"': "nns", d0: "nn", d1: "nnnnnn" },
  ...{ CS: "/", cs: "/", SC: "*", sc: "*", SCN: "*?", scn: "*?", G: "n", g: "n", RG: "nnn", rg: "nnn" },
  ...{ K: "nnnn", k: "nnnn", sh: "/", Do: "/", EMC: "", BX: "", EX: "" },
};

/** More than any page needs; a page of more was made to fill memories. */
const mostOperators = 5_000_000;
const mostOperands = 64;

/**
 * Reads the content of a page, form, pattern or glyph: operators that draw, each with its own operands, and nothing else.
 * Comments, inline images and properties of marked content are faults.
 *
 * @returns the names that it uses
 * @throws Fault
 */
export function readContent(bytes: Uint8Array): Set<string> {
  const lexer = new Lexer(bytes);
  const names = new Set<string>();
  const given: Value[] = [];
  let operators = 0;
  while (!lexer.isAtEnd()) {
    const next = lexer.next();
    if (!(next instanceof Word)) {
      given.push(next);
      if (given.length > mostOperands) throw new Fault("an operator has too many operands");
      continue;
    }
    if (++operators > mostOperators) throw new Fault(`the content has more than ${mostOperators} operators`);
    const { value: operator } = next;
    checkOperands(operator, given);
    for (const one of given) if (one instanceof Name) names.add(one.value);
    given.length = 0;
  }
  if (given.length > 0) throw new Fault("the content ends within an operation");
  return names;
}

function checkOperands(operator: string, given: readonly Value[]): void {
  if (operator === "BMC" || operator === "BDC" || operator === "MP" || operator === "DP") {
    throw new Fault("the content has marks");
  }
  const expected = Object.hasOwn(operands, operator) ? operands[operator] : undefined;
  if (expected === undefined) throw new Fault("the content has an operator that does not draw");
  if (expected.startsWith("*")) {
    const isPattern = expected.endsWith("?") && given.at(-1) instanceof Name;
    const numbers = isPattern ? given.slice(0, -1) : given;
    if (!numbers.every((one) => typeof one === "number"))
      throw new Fault("a colour has components that are no numbers");
    return;
  }
  const fits = given.length === expected.length && given.every((one, index) => isOf(expected.charAt(index), one));
  if (!fits) throw new Fault("an operator has operands that are not its own");
}

function isOf(kind: string, value: Value): boolean {
  switch (kind) {
    case "n":
      return typeof value === "number";
    case "/":
      return value instanceof Name;
    case "s":
      return value instanceof Uint8Array;
    default:
      return (
        Array.isArray(value) &&
        value.every((item) => typeof item === "number" || (kind === "t" && item instanceof Uint8Array))
      );
  }
}

const calculator = new Set(
  (
    "abs add atan ceiling cos cvi cvr div exp floor idiv ln log mod mul neg round sin sqrt sub truncate and bitshift eq " +
    "false ge gt le lt ne not or true xor if ifelse copy dup exch index pop roll"
  ).split(" "),
);

/** Reads a PostScript function: numbers, operators and braces. @throws Fault */
export function readCalculator(bytes: Uint8Array): void {
  const text = Buffer.from(bytes).toString("latin1");
  for (const word of text.replaceAll(/[{}]/g, " ").split(/[\0\s]+/)) {
    if (word !== "" && !calculator.has(word) && !/^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(word)) {
      throw new Fault("a function has something that is no operator");
    }
  }
}

/** What stands before and behind the mappings of every CMap that the rebuild writes. */
const cmapBegin =
  /^\/CIDInit \/ProcSet findresource begin\n12 dict begin\nbegincmap\n\/CMapName \/CMap1 def\n\/CMapType 2 def\n(?:\/WMode 1 def\n)?/;
const cmapEnd = "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n";
const cmapSections = new Set([
  "codespacerange",
  "bfchar",
  "bfrange",
  "cidchar",
  "cidrange",
  "notdefchar",
  "notdefrange",
]);

/**
 * Reads a CMap: sections of codes, numbers and texts, and nothing else.
 *
 * @returns the texts of more than one character that it maps codes to
 * @throws Fault
 */
export function readCMap(bytes: Uint8Array): string[] {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const begin = cmapBegin.exec(file.toString("latin1", 0, 200))?.[0];
  if (begin === undefined || file.toString("latin1", file.length - cmapEnd.length) !== cmapEnd) {
    throw new Fault("a CMap does not begin and end as one");
  }
  const lexer = new Lexer(file.subarray(0, file.length - cmapEnd.length), begin.length);
  const texts: string[] = [];
  const add = (value: Value | Word): void => {
    if (value instanceof Word) {
      if (!cmapSections.has(value.value.replace(/^(?:begin|end)/, "")))
        throw new Fault("a CMap has an unknown section");
    } else if (value instanceof Uint8Array) {
      if (value.length > 2) texts.push(utf16(value));
    } else if (Array.isArray(value)) value.forEach(add);
    else if (typeof value !== "number") throw new Fault("a CMap has something that is no mapping");
  };
  while (!lexer.isAtEnd()) add(lexer.next());
  return texts;
}

export function utf16(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)))
    .swap16()
    .toString("utf16le");
}
