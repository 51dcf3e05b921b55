/** A value before an operator; `start` and `end` are its place in the content. */
export type Operand = { start: number; end: number } & Value;

export type Value =
  | { type: "number"; value: number }
  | { type: "boolean"; value: boolean }
  | { type: "null" }
  /** Without the slash, `#xx` decoded, a character for each byte. */
  | { type: "name"; value: string }
  | { type: "string"; bytes: Uint8Array }
  | { type: "array"; items: Operand[] }
  | { type: "dictionary"; entries: Map<string, Operand> };

/** The entries of an inline image as they are written, mostly abbreviated, and its data as it is filtered. */
export interface InlineImage {
  entries: Map<string, Operand>;
  data: Uint8Array;
}

/** An operator with its operands; `start` and `end` are the place of both. An inline image is one operation, `BI`. */
export interface Operation {
  operator: string;
  operands: Operand[];
  start: number;
  end: number;
  image?: InlineImage;
}
