import { ExponentialBackoff, fullJitterGenerator, handleWhen, retry } from "cockatiel";
import { Agent } from "undici";
import type { Dispatcher } from "undici";
import { ExchangerError, PermanentError, RecoverableError } from "../../../contracts/errors.ts";
import type { DocumentEngineSecret } from "../../../contracts/secrets.ts";
import type { SecretReader } from "../secret.ts";
import type { Body } from "./multipart.ts";

export interface DocumentEngineSettings {
  /** Its address, without a path. */
  url: string;
  secret: SecretReader<DocumentEngineSecret>;
  /** Above the 60 s that the server gives itself, so that it never works for a caller that has left. */
  timeoutMilliseconds?: number;
  /** The fleet is what multiplies: one process keeps few. */
  sockets?: number;
  retries?: RetryPolicy;
}

/** What a few seconds may change. A timeout has taken a minute already, and a refused token waits for an operator. */
export function isPassing(error: Error): boolean {
  const lasting = ["DOCUMENT_ENGINE_TIMEOUT", "DOCUMENT_ENGINE_LOGIN_REFUSED"];
  return error instanceof RecoverableError && !lasting.includes(error.code);
}

/** Back-pressure is an error at once: whoever is refused comes back later, and not all of them at the same time. */
const retryPolicy = retry(handleWhen(isPassing), {
  maxAttempts: 5,
  backoff: new ExponentialBackoff({ initialDelay: 500, maxDelay: 15_000, generator: fullJitterGenerator }),
});
export interface RetryPolicy {
  execute: <Result>(work: () => PromiseLike<Result>) => Promise<Result>;
}

export interface EngineRequest {
  method: "GET" | "POST";
  /** Path and query, already encoded. */
  path: string;
  /** Never left to chance: what the server takes for a wildcard it may refuse. */
  accept: string;
  body?: Body;
  /** Whether doing it twice does no harm. */
  repeatable: boolean;
}

export type Answer = Dispatcher.ResponseData;

/** Sends a request and reads its answer; both are done again, where that helps and does no harm. */
export type Send = <Result>(request: EngineRequest, read: (answer: Answer) => Promise<Result>) => Promise<Result>;

/**
 * The transport to Document Engine.
 *
 * Its errors: PermanentError DOCUMENT_ENGINE_NOT_FOUND (404), DOCUMENT_ENGINE_REFUSED (any other 4xx); RecoverableError
 * DOCUMENT_ENGINE_OVERLOADED (503, 429, 500 "overload"), DOCUMENT_ENGINE_FAULT (any other 5xx, 408, a redirect),
 * DOCUMENT_ENGINE_TIMEOUT, DOCUMENT_ENGINE_UNREACHABLE (also a connection that breaks within the answer),
 * DOCUMENT_ENGINE_LOGIN_REFUSED (401 with a token that was read a moment ago).
 */
export function createTransport(settings: DocumentEngineSettings): { send: Send; close: () => Promise<void> } {
  const { url, secret, timeoutMilliseconds = 70_000, sockets = 6, retries = retryPolicy } = settings;
  const { origin } = new URL(url);
  // How long a call may take as a whole is measured below.
  const agent = new Agent({ connections: sockets, headersTimeout: 0, bodyTimeout: 0 });

  // Not `fetch`, whose streams and checks take longer than what the server does for most of our calls.
  const ask = (
    { method, path, accept, body }: EngineRequest,
    { token }: DocumentEngineSecret,
    signal: AbortSignal,
  ): Promise<Answer> =>
    agent.request({
      origin,
      method,
      path,
      signal,
      headers: {
        Authorization: `Token token="${token}"`,
        Accept: accept,
        ...(body && { "Content-Type": body.contentType }),
      },
      body: body?.content ?? null,
    });

  const attempt: Send = async (request, read) => {
    const patience = new AbortController();
    const end = setTimeout(() => {
      patience.abort(new DOMException("no answer in time", "TimeoutError"));
    }, timeoutMilliseconds);
    try {
      const known = await secret.read();
      let answer = await ask(request, known, patience.signal);
      if (answer.statusCode === 401) {
        // The token was changed: whoever notices first forgets it, and all others read the same new one.
        secret.forget(known);
        await answer.body.dump();
        answer = await ask(request, await secret.read(), patience.signal);
      }
      if (answer.statusCode >= 300) throw await refusalOf(request, answer);
      return await read(answer);
    } catch (thrown) {
      throw transportError(request, thrown);
    } finally {
      clearTimeout(end);
    }
  };

  return {
    send: (request, read) =>
      request.repeatable ? retries.execute(() => attempt(request, read)) : attempt(request, read),
    close: () => agent.close(),
  };
}

async function refusalOf({ method, path }: EngineRequest, answer: Answer): Promise<ExchangerError> {
  const { statusCode: status } = answer;
  const body = (await answer.body.text().catch(() => "")).slice(0, 500);
  const told = `Document Engine answered ${method} ${path} with ${status}${body === "" ? "" : `: ${body}`}`;
  if (status === 401) {
    return new RecoverableError(
      "DOCUMENT_ENGINE_LOGIN_REFUSED",
      "Document Engine refuses the token that its secret holds: correct the secret",
    );
  }
  if (status === 404) return new PermanentError("DOCUMENT_ENGINE_NOT_FOUND", told);
  if (status === 429 || status === 503 || (status === 500 && /overload/i.test(body))) {
    return new RecoverableError("DOCUMENT_ENGINE_OVERLOADED", told);
  }
  if (status >= 500 || status === 408 || status < 400) return new RecoverableError("DOCUMENT_ENGINE_FAULT", told);
  return new PermanentError("DOCUMENT_ENGINE_REFUSED", told);
}

function transportError({ method, path }: EngineRequest, thrown: unknown): unknown {
  if (thrown instanceof ExchangerError || !(thrown instanceof Error)) return thrown;
  // What AWS refuses while the secret is read is classified by whoever called.
  if ("$metadata" in thrown) return thrown;
  const cause = { cause: thrown };
  if (/TimeoutError$/.test(thrown.name)) {
    return new RecoverableError(
      "DOCUMENT_ENGINE_TIMEOUT",
      `Document Engine did not answer ${method} ${path} in time`,
      cause,
    );
  }
  return new RecoverableError(
    "DOCUMENT_ENGINE_UNREACHABLE",
    `${method} ${path} of Document Engine broke: ${thrown.message}`,
    cause,
  );
}
