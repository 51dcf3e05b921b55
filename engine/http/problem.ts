import type { ErrorRequestHandler, Response } from "express";
import type { Logger } from "pino";
import { ExchangerError } from "../../contracts/errors.ts";

export interface FieldError {
  /** Path in the body or query, e.g. `selection.documentIds`. */
  readonly field: string;
  readonly message: string;
}

/** Problems that one answer lists. */
export const mostErrors = 20;
/** Characters of what an answer repeats of its request. */
const longestField = 100;
const longestMessage = 300;
const longestDetail = 1000;

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** A refusal that the caller reads as an RFC 9457 problem document. */
export class Problem extends ExchangerError {
  readonly kind = "invalid";
  readonly status: number;
  /** The first of them; an answer does not grow with what is wrong with its request. */
  readonly errors: readonly FieldError[];
  /** How many there are in all. */
  readonly errorCount: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: {
      errors?: readonly FieldError[];
      errorCount?: number;
      headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(code, cut(detail, longestDetail));
    const errors = more.errors ?? [];
    this.status = status;
    this.errors = errors.slice(0, mostErrors).map(({ field, message }) => ({
      field: cut(field, longestField),
      message: cut(message, longestMessage),
    }));
    this.errorCount = more.errorCount ?? errors.length;
    this.headers = more.headers ?? {};
  }
}

/** Reason phrases, the `title` of a problem without a page of its own (`about:blank`). */
const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

export function sendProblem(response: Response, problem: Problem): void {
  const { status, code, message: detail, errors, errorCount } = problem;
  response.status(status).set(problem.headers).type("application/problem+json");
  const body = { type: "about:blank", title: titles[status] ?? "Error", status, detail, code };
  response.send(JSON.stringify(errors.length > 0 ? { ...body, errors, errorCount } : body));
}

/** The last handler: whatever was thrown becomes a problem; what nobody expected is logged and tells nothing. */
export function problemHandler(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    if (response.headersSent) {
      next(thrown);
      return;
    }
    const problem = thrown instanceof Problem ? thrown : (ofExpress(thrown) ?? unexpected);
    if (problem === unexpected) log.error({ err: thrown, url: request.url }, "a request failed");
    sendProblem(response, problem);
  };
}

const unexpected = new Problem(500, "INTERNAL_ERROR", "the request could not be handled; its log entry says why");

/** The refusals of Express's own router and body parser. */
function ofExpress(thrown: unknown): Problem | null {
  if (thrown instanceof URIError) {
    return new Problem(400, "MALFORMED_URL", "the address has a percent sign that begins no character of UTF-8");
  }
  if (!(thrown instanceof Error)) return null;
  if ("code" in thrown && /^(Z_|ERR_BROTLI|ERR__ERROR_FORMAT|ZSTD_)/.test(String(thrown.code))) {
    return new Problem(400, "MALFORMED_BODY", "the body is not what its Content-Encoding says");
  }
  return "type" in thrown ? ofBodyParser(thrown.type) : null;
}

function ofBodyParser(type: unknown): Problem | null {
  switch (type) {
    case "entity.too.large":
      return new Problem(413, "BODY_TOO_LARGE", "the body is larger than 2 MiB: name documents by a label or folder");
    case "encoding.unsupported":
      return new Problem(415, "UNSUPPORTED_ENCODING", "the Content-Encoding is not known here: send the body as it is");
    case "request.aborted":
    case "request.size.invalid":
      return new Problem(400, "INCOMPLETE_BODY", "the body ended before its stated length");
    default:
      return null;
  }
}
