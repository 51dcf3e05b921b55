import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Busboy } from "@fastify/busboy";
import type { Request } from "express";
import { jsonOf } from "../build.ts";
import { badRequest } from "../refusal.ts";

/** A request's body as its content type says. */
export type Body =
  | { kind: "none" }
  | { kind: "json"; value: unknown }
  | { kind: "bytes"; bytes: Uint8Array }
  | { kind: "parts"; parts: Map<string, Uint8Array> };

/** @throws Refusal 400 for a body that is not what its content type says */
export async function bodyOf(request: Request): Promise<Body> {
  const body: unknown = request.body;
  if (!(body instanceof Uint8Array) || body.length === 0) return { kind: "none" };
  const type = request.headers["content-type"] ?? "";
  if (type.startsWith("multipart/form-data")) return { kind: "parts", parts: await partsOf(body, type) };
  if (type.startsWith("application/json")) return { kind: "json", value: jsonOf(body) };
  return { kind: "bytes", bytes: body };
}

/** Every part is taken for a file: a text is read as bytes, too. */
async function partsOf(body: Uint8Array, contentType: string): Promise<Map<string, Uint8Array>> {
  const parts = new Map<string, Uint8Array>();
  try {
    const form = new Busboy({ headers: { "content-type": contentType }, isPartAFile: () => true });
    form.on("file", (name, stream) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => parts.set(name, Buffer.concat(chunks)));
    });
    await pipeline(Readable.from([body]), form);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw badRequest("MALFORMED_BODY", `the multipart body cannot be read: ${reason}`);
  }
  return parts;
}

/** A text field of a multipart body. */
export function textPart(parts: ReadonlyMap<string, Uint8Array>, name: string): string | undefined {
  const bytes = parts.get(name);
  return bytes && Buffer.from(bytes).toString("utf8");
}
