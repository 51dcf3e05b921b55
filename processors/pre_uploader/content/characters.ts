/** White space of PDF syntax: NUL, tab, line feed, form feed, carriage return, space. */
export function isWhitespace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09 || byte === 0x00 || byte === 0x0c;
}

const delimiters = new Set(Buffer.from("()<>[]{}/%"));

function isDelimiter(byte: number): boolean {
  return delimiters.has(byte);
}

/** A character of keywords, names and numbers; -1, behind the last byte, is none. */
export function isRegular(byte: number): boolean {
  return byte >= 0 && !isWhitespace(byte) && !isDelimiter(byte);
}

export function hexDigit(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}
