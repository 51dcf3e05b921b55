/** Small files that were made to keep a reader busy, or to fill its memory. */
import { deflateSync } from "node:zlib";
import { PDFName, PDFString } from "@cantoo/pdf-lib";
import { makePdf } from "../engine_bench.ts";

export const hostile: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  "page text that unpacks to millions of characters": pageTextBomb,
  "a stream of strings that are never shown": () => withContent("(A)".repeat(12_000_000)),
  "12 MB after one parenthesis": () => withContent(`BT /F1 8 Tf (${"a".repeat(12_000_000)}`),
  "a title of 12 MB": () =>
    makePdf([{ lines: ["here"] }], ({ context }) => {
      context.trailerInfo.Info = context.register(context.obj({ Title: PDFString.of("a".repeat(12_000_000)) }));
    }),
};

/** About 100 KiB that unpack to a hundred megabytes of text operators. */
export function pageTextBomb(): Promise<Uint8Array> {
  return withContent(`BT /F1 8 Tf 10 10 Td ${`(${"A".repeat(1000)}) Tj `.repeat(100_000)} ET`);
}

/** A page with this content. */
function withContent(content: string): Promise<Uint8Array> {
  return makePdf([{ lines: ["here"] }], (pdf) => {
    const { context } = pdf;
    const font = context.obj({ Type: "Font", Subtype: "Type1", BaseFont: "Helvetica" });
    const page = pdf.getPage(0).node;
    page.set(PDFName.of("Resources"), context.obj({ Font: { F1: context.register(font) } }));
    const dictionary = { Filter: "FlateDecode" };
    page.set(PDFName.of("Contents"), context.register(context.stream(deflateSync(content), dictionary)));
  });
}
