import type { ErrorRequestHandler, Response } from "express";
import type { Logger } from "pino";
import { ExchangerError } from "../../contracts/errors.ts";

export interface FieldError {
  /** Path in the body or query, e.g. `selection.documentIds`. */
  readonly field: string;
  readonly message: string;
}

/** A refusal that the caller reads as an RFC 9457 problem document. */
export class Problem extends ExchangerError {
  readonly kind = "invalid";
  readonly status: number;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: { errors?: readonly FieldError[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(code, detail);
    this.status = status;
    this.errors = more.errors ?? [];
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
  const { status, code, message: detail, errors } = problem;
  response.status(status).set(problem.headers).type("application/problem+json");
  const body = { type: "about:blank", title: titles[status] ?? "Error", status, detail, code };
  response.send(JSON.stringify(errors.length > 0 ? { ...body, errors } : body));
}

/** The last handler: whatever was thrown becomes a problem; what nobody expected is logged and tells nothing. */
export function problemHandler(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    if (response.headersSent) {
      next(thrown);
      return;
    }
    const problem = thrown instanceof Problem ? thrown : (ofBodyParser(thrown) ?? unexpected);
    if (problem === unexpected) log.error({ err: thrown, url: request.url }, "a request failed");
    sendProblem(response, problem);
  };
}

const unexpected = new Problem(500, "INTERNAL_ERROR", "the request could not be handled; its log entry says why");

/** The errors of Express's own body parser carry a `type`. */
function ofBodyParser(thrown: unknown): Problem | null {
  if (!(thrown instanceof Error && "type" in thrown)) return null;
  switch (thrown.type) {
    case "entity.parse.failed":
      return new Problem(400, "MALFORMED_JSON", `the body is not JSON: ${thrown.message}`);
    case "entity.too.large":
      return new Problem(413, "BODY_TOO_LARGE", "the body is larger than 2 MiB: name documents by a label or folder");
    case "charset.unsupported":
    case "encoding.unsupported":
      return new Problem(415, "UNSUPPORTED_ENCODING", "the body must be plain UTF-8");
    case "request.aborted":
    case "request.size.invalid":
      return new Problem(400, "INCOMPLETE_BODY", "the body ended before its stated length");
    default:
      return null;
  }
}
