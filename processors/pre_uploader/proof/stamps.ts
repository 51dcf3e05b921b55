import { touches } from "../pdf/geometry.ts";
import type { PageContent } from "../pdf/reader.ts";
import { textOf } from "./glyphs.ts";
import type { Drawn } from "./claim.ts";

/** The pages on which stamps cannot be read. */
export function stampFaults(pages: readonly PageContent[], drawn: readonly Drawn[]): string[] {
  const stamped = Map.groupBy(
    drawn.filter(({ text }) => text !== ""),
    ({ pageIndex }) => pageIndex,
  );
  return [...stamped].flatMap(([pageIndex, stamps]) => {
    const page = pages[pageIndex];
    const missing = stamps.filter((stamp) => !page || !isReadable(stamp, page));
    return missing.length === 0 ? [] : [`${missing.length} stamps cannot be read on page ${pageIndex + 1}`];
  });
}

/** On the page in either order of its characters, or in its place mingled with what else is printed there. */
function isReadable(stamp: Drawn, page: PageContent): boolean {
  const text = bare(stamp.text);
  const shown = bare(page.text);
  return shown.includes(text) || shown.includes(reversed(text)) || isMingled(stamp, page);
}

/** Whether all characters of a stamp stand in its place: mingled, from top to bottom, or in an order of their own. */
function isMingled({ text, box }: Drawn, { characters }: PageContent): boolean {
  const there = bare(textOf(characters.filter((character) => character.box && touches(character.box, box))));
  return Array.from(bare(text)).every((character) => there.includes(character));
}

/** Letters and digits, those that Arabic fonts have a form of their own for by the letter that they are. */
function bare(text: string): string {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, "");
}

function reversed(text: string): string {
  return Array.from(text).reverse().join("");
}
