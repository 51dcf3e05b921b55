/** Font programs without the texts that nobody draws: names, notices, comments. */
import { withoutNames } from "./cff.ts";
import { FilterFault } from "./filters.ts";
import { withoutNameTables } from "./sfnt.ts";
import { withoutFontInfo } from "./type1.ts";
import type { Program } from "./type1.ts";

const sfntVersions = new Set(["\0\x01\0\0", "true", "OTTO", "typ1"]);

/**
 * What kind of program it is, its first bytes say: the keys of real files are often wrong.
 * @throws FilterFault where it is of no known kind, or has names that quote and cannot be changed
 */
export function withoutFontTexts(program: Buffer, isQuoting: (text: string) => boolean): Program {
  const start = program.toString("latin1", 0, 4);
  if (program.length === 0) return { bytes: program, lengths: [] };
  if (sfntVersions.has(start)) {
    const bytes = withoutNameTables(program, isQuoting);
    return { bytes, lengths: [bytes.length] };
  }
  if (start.startsWith("%!") || start.startsWith("\x80\x01")) return withoutFontInfo(program, isQuoting);
  if (program[0] === 1 && (program[2] ?? 0) >= 4 && (program[3] ?? 0) >= 1 && (program[3] ?? 9) <= 4) {
    return { bytes: withoutNames(program, isQuoting), lengths: [] };
  }
  throw new FilterFault("its font program is of no known kind");
}
