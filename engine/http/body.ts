import { MIMEType } from "node:util";
import express, { type RequestHandler } from "express";
import { shapeErrors } from "./body-shape.ts";
import { Problem } from "./problem.ts";
import { invalid } from "./query.ts";

/** Room for a hundred thousand document ids. */
const bodyLimit = "2mb";

/** The names of UTF-8, in any case; others are refused, since JSON between systems is UTF-8 (RFC 8259). */
const utf8Names = ["utf-8", "utf8"];

/**
 * Reads a body of type application/json into `request.body`; bodies of other types are left unread.
 *
 * Throws 400 for what is no JSON in UTF-8, 413 for a body that is too large, 415 for another character set, 422 for names
 * that reach the prototypes of objects, and for objects with too many fields.
 */
export function jsonBody(): RequestHandler[] {
  return [express.raw({ type: "application/json", limit: bodyLimit }), decode];
}

const decode: RequestHandler = (request, _response, next) => {
  const body: unknown = request.body;
  if (Buffer.isBuffer(body)) request.body = parse(body, request.headers["content-type"] ?? "");
  next();
};

function parse(body: Buffer, contentType: string): unknown {
  const charset = charsetOf(contentType);
  if (!utf8Names.includes(charset)) {
    throw new Problem(415, "UNSUPPORTED_ENCODING", `the body must be UTF-8, not ${charset}`);
  }
  if (body.length === 0) return {};
  const json = parseJson(body);
  const { errors, errorCount } = shapeErrors(json);
  if (errorCount > 0) throw invalid(errors, "the body", errorCount);
  return json;
}

function charsetOf(contentType: string): string {
  try {
    return new MIMEType(contentType).params.get("charset")?.toLowerCase() ?? "utf-8";
  } catch {
    return "utf-8";
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    const why = error instanceof SyntaxError ? `not JSON: ${error.message}` : "not UTF-8";
    throw new Problem(400, "MALFORMED_JSON", `the body is ${why}`);
  }
}
