import { InvalidInputError } from "../../contracts/errors.ts";

/** A request that is answered with something else than success; `body` is sent as it is, or as JSON. */
export class Refusal extends InvalidInputError {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, code: string, message: string, body?: unknown) {
    super(code, message);
    this.status = status;
    this.body = body ?? { error: { reason: code.toLowerCase(), description: message } };
  }
}

export const notFound = (what: string) => new Refusal(404, "NOT_FOUND", `${what} is not known: check its id`);
export const unprocessable = (code: string, message: string, body?: unknown) => new Refusal(422, code, message, body);
export const badRequest = (code: string, message: string, body?: unknown) => new Refusal(400, code, message, body);
