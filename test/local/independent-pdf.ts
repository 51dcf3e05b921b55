/** PDFs as another library reads them, which shares no code with the one that the stand-in works with. */
import { getDocument, VerbosityLevel } from "pdfjs-dist/legacy/build/pdf.mjs";
import { PDFArray, PDFDict, PDFDocument, PDFName, PDFRawStream, decodePDFRawStream } from "pdf-lib";

/** The text of each page. */
export async function textsOf(bytes: Uint8Array): Promise<string[]> {
  const loading = getDocument({ data: Uint8Array.from(bytes), verbosity: VerbosityLevel.ERRORS, useSystemFonts: true });
  const pdf = await loading.promise;
  try {
    const texts: string[] = [];
    for (let number = 1; number <= pdf.numPages; number++) {
      const { items } = await (await pdf.getPage(number)).getTextContent();
      texts.push(
        items
          .map((item) => ("str" in item ? item.str : ""))
          .join(" ")
          .replace(/\s+/g, " ")
          .trim(),
      );
    }
    return texts;
  } finally {
    await loading.destroy();
  }
}

/** The subtypes of the annotations that are alive on each page, without the windows that some of them open. */
export async function livingOf(bytes: Uint8Array): Promise<string[][]> {
  const pdf = await PDFDocument.load(bytes, { updateMetadata: false });
  return pdf.getPages().map((page) => {
    const list = page.node.lookupMaybe(PDFName.of("Annots"), PDFArray);
    return Array.from({ length: list?.size() ?? 0 }, (_, index) =>
      String(list?.lookup(index, PDFDict).get(PDFName.of("Subtype"))).slice(1),
    ).filter((subtype) => subtype !== "Popup");
  });
}

/** Whether some bytes occur anywhere in the file, in its objects or in a stream of it once that is unpacked. */
export async function holds(bytes: Uint8Array, needle: string): Promise<boolean> {
  const pdf = await PDFDocument.load(bytes, { updateMetadata: false });
  const hex = Buffer.from(needle).toString("hex");
  const found = (text: string) => text.includes(needle) || text.toLowerCase().includes(hex);
  return pdf.context.enumerateIndirectObjects().some(([, object]) => {
    if (!(object instanceof PDFRawStream)) return found(object.toString());
    const filter = object.dict.get(PDFName.of("Filter"));
    const images = ["/DCTDecode", "/JPXDecode", "/CCITTFaxDecode"].includes(String(filter));
    return (
      found(object.dict.toString()) ||
      (!images && found(Buffer.from(decodePDFRawStream(object).decode()).toString("latin1")))
    );
  });
}
