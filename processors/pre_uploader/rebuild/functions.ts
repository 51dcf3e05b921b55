/** Functions and tables of numbers (ISO 32000-1, 7.10). */
import type { StreamJob } from "./copier.ts";
import { limits, tooComplex, unreadable } from "./faults.ts";
import { Tokens } from "./tokens.ts";

/** Numbers without syntax; those of a sampled function are as many as its keys say. */
export function sampleContent({ copier, source, into, place, kind }: StreamJob): Uint8Array {
  const bytes = copier.reading.decode(source, place);
  if (kind !== "sampledFunction") return copier.pack(bytes, into);
  const { reading } = copier;
  const sizes = reading.numbers(reading.raw(source, "Size")) ?? [];
  const outputs = (reading.numbers(reading.raw(source, "Range")) ?? []).length / 2;
  const samples = sizes.reduce((product, size) => product * size, outputs);
  const needed = Math.ceil((samples * (reading.number(source, "BitsPerSample") ?? 8)) / 8);
  return copier.pack(bytes.subarray(0, Math.max(0, needed)), into);
}

const calculatorWords = new Set([
  ...["abs", "add", "and", "atan", "bitshift", "ceiling", "copy", "cos", "cvi", "cvr", "div", "dup", "eq", "exch"],
  ...["exp", "false", "floor", "ge", "gt", "idiv", "if", "ifelse", "index", "le", "ln", "log", "lt", "mod", "mul"],
  ...["ne", "neg", "not", "or", "pop", "roll", "round", "sin", "sqrt", "sub", "true", "truncate", "xor", "{", "}"],
]);

/** Operators and numbers only; comments go. */
export function calculatorContent({ copier, source, into, place }: StreamJob): Uint8Array {
  const tokens = new Tokens(copier.reading.decode(source, place), place);
  const words: string[] = [];
  for (let token = tokens.next(); token !== undefined; token = tokens.next()) {
    if (words.length > limits.operands) throw tooComplex("operands", place);
    if (token.type === "number") words.push(token.text);
    else if (token.type === "word" && calculatorWords.has(token.word)) words.push(token.word);
    else throw unreadable(place, "it has an operator that a function must not have");
  }
  return copier.pack(Buffer.from(words.join(" "), "latin1"), into);
}
