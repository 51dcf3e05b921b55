/** PDFs written by hand, for what no library writes. */

export interface RawPage {
  /** The operations of the page, unless `more` names its contents. */
  contents?: string;
  /** Resources beside the font `F`, which is Helvetica. */
  resources?: string;
  /** Further keys of the page. */
  more?: string;
  /** Without a media box of its own a page has 595 by 842 points. */
  mediaBox?: string | null;
}

export interface RawPdf {
  pages: readonly RawPage[];
  /** Further objects under their numbers, which begin at 20 for all but a hundred pages; streams as `raw` makes them. */
  objects?: Readonly<Record<number, string>>;
  /** Further keys of the catalog and of the trailer. */
  catalog?: string;
  trailer?: string;
}

/** A stream object with its dictionary. */
export function raw(dictionary: string, contents: string | Uint8Array): string {
  const bytes = typeof contents === "string" ? Buffer.from(contents, "latin1") : Buffer.from(contents);
  return `<<${dictionary}/Length ${bytes.length}>>\nstream\n${bytes.toString("latin1")}\nendstream`;
}

/** A whole PDF: catalog 1, page tree 2, font 3, then pages and their contents. */
export function rawPdf({ pages, objects = {}, catalog = "", trailer = "" }: RawPdf): Buffer {
  const numbers = pages.map((_, index) => ({ page: 1000 + 2 * index, contents: 1001 + 2 * index }));
  const all: [number, string][] = [
    [1, `<</Type/Catalog/Pages 2 0 R${catalog}>>`],
    [2, `<</Type/Pages/Count ${pages.length}/Kids[${numbers.map(({ page }) => `${page} 0 R`).join(" ")}]>>`],
    [3, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"],
    ...Object.entries(objects).map(([number, text]): [number, string] => [Number(number), text]),
    ...pages.flatMap(({ contents = "", resources = "", more = "", mediaBox = "[0 0 595 842]" }, index) => {
      const { page, contents: stream } = numbers[index] ?? { page: 0, contents: 0 };
      const own = more.includes("/Contents") ? "" : `/Contents ${stream} 0 R`;
      const box = mediaBox === null ? "" : `/MediaBox${mediaBox}`;
      const dictionary = `<</Type/Page/Parent 2 0 R${box}/Resources<</Font<</F 3 0 R>>${resources}>>${own}${more}>>`;
      return [
        [page, dictionary],
        [stream, raw("", contents)],
      ] satisfies [number, string][];
    }),
  ];
  let file = "%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n";
  const offsets = new Map<number, number>();
  for (const [number, text] of all) {
    offsets.set(number, file.length);
    file += `${number} 0 obj\n${text}\nendobj\n`;
  }
  const start = file.length;
  file += "xref\n0 1\n0000000000 65535 f \n";
  for (const [number, offset] of offsets) file += `${number} 1\n${String(offset).padStart(10, "0")} 00000 n \n`;
  file += `trailer\n<</Root 1 0 R/Size 2000${trailer}>>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(file, "latin1");
}
