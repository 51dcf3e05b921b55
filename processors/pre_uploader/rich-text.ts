/** The texts of annotations and comments: plain, or XHTML. */
import { decode } from "html-entities";
import { z } from "zod";
import { plainTextOf } from "./proof/readings.ts";

const richText = z.looseObject({ format: z.literal("xhtml"), value: z.string() });
const plainText = z.union([z.string(), z.looseObject({ value: z.string() })]);

/** The text that a reader sees. */
export function shownText(text: unknown): string {
  const rich = richText.safeParse(text);
  if (rich.success) return plainTextOf(rich.data.value);
  const plain = plainText.safeParse(text);
  if (!plain.success) return "";
  return typeof plain.data === "string" ? plain.data : plain.data.value;
}

/**
 * A text in the form that Document Engine takes as a whole: it cuts XHTML at a named entity, and plain text at a NUL
 * character.
 */
export function uncut(text: unknown): unknown {
  const rich = richText.safeParse(text);
  if (rich.success) return { ...rich.data, value: withNumericEntities(withoutNul(rich.data.value)) };
  const plain = plainText.safeParse(text);
  if (!plain.success) return text;
  return typeof plain.data === "string"
    ? withoutNul(plain.data)
    : { ...plain.data, value: withoutNul(plain.data.value) };
}

/** XHTML in which every entity is numeric; an ampersand that begins none is one itself. */
export function withNumericEntities(xhtml: string): string {
  return xhtml.replaceAll(/&(#\d+;|#x[\da-f]+;|[a-z][\da-z]*;)?/gi, (entity, name: string | undefined) => {
    if (name?.startsWith("#") === true) return entity;
    const characters = name === undefined ? "&" : decode(entity);
    // An unknown name is text.
    if (characters === entity && name !== undefined) return `&#38;${name}`;
    return Array.from(characters, (character) => `&#${character.codePointAt(0) ?? 0xfffd};`).join("");
  });
}

function withoutNul(text: string): string {
  return text.replaceAll("\0", "");
}
