import { randomUUID } from "node:crypto";

/** What a request carries. */
export interface Body {
  content: Buffer | string;
  contentType: string;
}

/** A part of a multipart body: a field, or a file, which has a name of its own. */
export interface Part {
  name: string;
  content: Uint8Array | string;
  file?: { name: string; contentType: string };
}

/**
 * A `multipart/form-data` body as a whole, which can be sent more than once and goes out in one piece. A `FormData` would
 * go through the same streams as `fetch`, which the transport avoids.
 */
export function multipart(parts: readonly Part[]): Body {
  const boundary = `exchanger-${randomUUID()}`;
  const pieces = parts.flatMap((part) => [`--${boundary}\r\n${headersOf(part)}\r\n\r\n`, part.content, "\r\n"]);
  const bytes = [...pieces, `--${boundary}--\r\n`].map((one) => (typeof one === "string" ? Buffer.from(one) : one));
  return { content: Buffer.concat(bytes), contentType: `multipart/form-data; boundary=${boundary}` };
}

function headersOf({ name, file }: Part): string {
  const disposition = `Content-Disposition: form-data; name="${name}"`;
  return file ? `${disposition}; filename="${file.name}"\r\nContent-Type: ${file.contentType}` : disposition;
}
