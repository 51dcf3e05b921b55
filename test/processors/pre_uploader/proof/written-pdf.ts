/** PDFs written by hand, as the rebuild writes them, so that a test can doctor each byte. */
import { deflateSync } from "node:zlib";

/** The body of an object, or of a stream: its dictionary without Length, and its content. */
export type Body = string | { dictionary: string; content: Uint8Array | string; isPacked?: boolean };

/** A page with a line of text, an image, a form and a font, each of them a kind of the grammar. */
export function parts(): Record<number, Body> {
  return {
    1: "<< /Type /Catalog /Pages 2 0 R >>",
    2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 300] /Contents 4 0 R /Resources 5 0 R >>",
    4: {
      dictionary: "",
      content: "q BT /F0 11 Tf 40 240 Td (Public words) Tj ET Q\n/X0 Do\nq 20 0 0 20 10 10 cm /X1 Do Q",
    },
    5: "<< /Font << /F0 6 0 R >> /XObject << /X0 7 0 R /X1 8 0 R >> >>",
    6: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    7: {
      dictionary: "/Type /XObject /Subtype /Form /BBox [0 0 400 300] /Resources << >>",
      content: "0.5 g 300 20 40 40 re f",
    },
    8: {
      dictionary: "/Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8",
      content: Uint8Array.of(10, 20, 30, 40),
    },
  };
}

/** The file of these objects. @param change what to do to its text before it is given out, byte for byte */
export function writePdf(objects: Record<number, Body>, change: (file: string) => string = (file) => file): Uint8Array {
  let file = "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n";
  const offsets = new Map<number, number>();
  for (const [number, body] of Object.entries(objects)) {
    offsets.set(Number(number), file.length);
    file += `${number} 0 obj\n${typeof body === "string" ? body : streamOf(body)}\nendobj\n`;
  }
  const size = Math.max(...offsets.keys()) + 1;
  const table = file.length;
  file += `xref\n0 ${size}\n0000000000 65535 f \n`;
  for (let number = 1; number < size; number++) {
    const offset = offsets.get(number);
    file += offset === undefined ? "0000000000 00000 f \n" : `${String(offset).padStart(10, "0")} 00000 n \n`;
  }
  file += `trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`;
  return Buffer.from(change(file), "latin1");
}

function streamOf({ dictionary, content, isPacked = true }: Exclude<Body, string>): string {
  const plain = Buffer.from(typeof content === "string" ? Buffer.from(content, "latin1") : content);
  const raw = isPacked ? deflateSync(plain) : plain;
  const filter = isPacked ? "/Filter /FlateDecode " : "";
  return `<< ${dictionary} ${filter}/Length ${raw.length} >>\nstream\n${raw.toString("latin1")}\nendstream`;
}
