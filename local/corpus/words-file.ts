import { readFile } from "node:fs/promises";
import { InvalidInputError } from "../../contracts/errors.ts";
import type { Box } from "./reader/matrix.ts";

/** What is to be redacted in one file. */
export interface Wanted {
  texts: string[];
  boxes: { pageIndex: number; box: Box }[];
}

/**
 * The lines of a words file, by the path of their PDF: a path relative to the folder, then texts and boxes
 * (`@page,left,top,width,height`), with tabs between them.
 *
 * @throws InvalidInputError WORDS_FILE that names the line
 */
export async function readWordsFile(path: string): Promise<Map<string, Wanted>> {
  const content = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new InvalidInputError("WORDS_FILE", `'${path}' cannot be read: check that it exists`, { cause });
  });
  return parseWords(content);
}

export function parseWords(content: string): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const [index, line] of content
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === "") continue;
    const [path = "", ...fields] = line.split("\t");
    const entry = wanted.get(path) ?? { texts: [], boxes: [] };
    wanted.set(path, entry);
    for (const field of fields.filter((one) => one.trim() !== "")) {
      if (field.startsWith("@")) entry.boxes.push(boxOf(field, index + 1));
      else entry.texts.push(field);
    }
  }
  return wanted;
}

function boxOf(field: string, line: number): Wanted["boxes"][number] {
  const numbers = field.slice(1).split(",").map(Number);
  const [pageIndex = NaN, left = NaN, top = NaN, width = NaN, height = NaN] = numbers;
  const isWhole =
    numbers.length === 5 && numbers.every(Number.isFinite) && Number.isInteger(pageIndex) && pageIndex >= 0;
  if (isWhole && width > 0 && height > 0) {
    return { pageIndex, box: { left, top, right: left + width, bottom: top + height } };
  }
  throw new InvalidInputError("WORDS_FILE", `line ${line}: '${field}' is no box: write @page,left,top,width,height`);
}
