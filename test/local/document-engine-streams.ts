/** What the streams of a PDF hold, as another library unpacks them. */
import { PDFDocument, PDFName, PDFRawStream, decodePDFRawStream } from "@cantoo/pdf-lib";

/** The operations of all pages and forms. */
export async function contentsOfAll(bytes: Uint8Array): Promise<string> {
  const streams = await streamsOf(bytes);
  return streams
    .filter(({ kind }) => kind !== "/Image")
    .map(({ stream }) => Buffer.from(decodePDFRawStream(stream).decode()).toString("latin1"))
    .join("\n");
}

/** The samples of all images, as hexadecimal digits. */
export async function imagesOf(bytes: Uint8Array): Promise<string[]> {
  const streams = await streamsOf(bytes);
  return streams
    .filter(({ kind }) => kind === "/Image")
    .map(({ stream }) => Buffer.from(decodePDFRawStream(stream).decode()).toString("hex"));
}

async function streamsOf(bytes: Uint8Array) {
  const pdf = await PDFDocument.load(bytes, { updateMetadata: false });
  return pdf.context.enumerateIndirectObjects().flatMap(([, object]) => {
    if (!(object instanceof PDFRawStream)) return [];
    return [{ kind: String(object.dict.get(PDFName.of("Subtype"))), stream: object }];
  });
}
