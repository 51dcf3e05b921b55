/** Addresses of links, which may quote behind percent signs. */
import { PDFHexString } from "@cantoo/pdf-lib";

/** An address in ASCII; undefined where it quotes. */
export function uriString(uri: string | undefined, isQuoting: (text: string) => boolean): PDFHexString | undefined {
  if (uri === undefined || uriTexts(uri).some(isQuoting)) return undefined;
  const ascii = uri.replaceAll(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character.toWellFormed()));
  return PDFHexString.fromBytes(Buffer.from(ascii, "latin1"));
}

const mostEncodings = 3;

/** An address as it is written and as it reads, decoded as often as it is encoded. */
function uriTexts(uri: string): string[] {
  const texts = [uri];
  for (let times = 0; times < mostEncodings; times++) {
    const last = texts.at(-1) ?? "";
    const bytes = Buffer.from(last, "utf8")
      .toString("latin1")
      .replaceAll(/%([\dA-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
    const decoded = Buffer.from(bytes, "latin1").toString("utf8");
    if (decoded === last) break;
    texts.push(decoded);
  }
  return texts.flatMap((text) => (text.includes("+") ? [text, text.replaceAll("+", " ")] : [text]));
}
