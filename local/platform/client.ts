import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { exchangeStates, isFinal } from "../../contracts/states.ts";
import { PlatformInputError } from "./errors.ts";

const stageCounts = z.object({
  expected: z.int().nullable(),
  done: z.int(),
  notFound: z.int(),
  failed: z.int(),
});

/** What a user of the HTTP API sees of an exchange; as much of it as we show. */
export const exchangeView = z.object({
  exchangeId: z.string(),
  state: z.enum(exchangeStates),
  stateHistory: z.array(z.object({ state: z.enum(exchangeStates), at: z.coerce.date(), reason: z.string() })),
  documents: z.object({
    selected: z.int(),
    copied: z.int(),
    notFound: z.int(),
    failed: z.int(),
  }),
  stages: z.record(z.string(), stageCounts),
  /** Rows by table while records are copied. */
  copying: z.record(z.string(), z.object({ done: z.int(), total: z.int() })).optional(),
  /** What its caller should know although nothing is wrong. */
  warnings: z.array(z.object({ code: z.string(), message: z.string(), count: z.int().optional() })).optional(),
  /** What became of redactions, as far as they are counted. */
  redactions: z.object({ fetched: z.int(), branded: z.int(), layered: z.int(), left: z.int() }).optional(),
  failure: z.object({ code: z.string(), message: z.string() }).nullish(),
});
export type ExchangeView = z.infer<typeof exchangeView>;

/** The HTTP API as a caller with this token uses it. */
export interface Client {
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  exchange(exchangeId: string): Promise<ExchangeView>;
  /** Polls until the exchange has ended; `onChange` sees every view that differs from the last. */
  follow(exchangeId: string, onChange?: (view: ExchangeView) => void, signal?: AbortSignal): Promise<ExchangeView>;
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

const pollMs = 200;

export function createClient(url: string, token: string): Client {
  async function request(method: string, path: string, { body, headers }: RequestOptions = {}): Promise<Answer> {
    const answer = await fetch(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === "" ? undefined : JSON.parse(text) };
  }

  async function exchange(exchangeId: string): Promise<ExchangeView> {
    const answer = await request("GET", `/exchanges/${exchangeId}`);
    if (answer.status === 200) return exchangeView.parse(answer.body);
    throw new PlatformInputError(
      "UNEXPECTED_ANSWER",
      `the engine answered ${answer.status}: ${JSON.stringify(answer.body)}`,
    );
  }

  return {
    request,
    exchange,
    async follow(exchangeId, onChange, signal) {
      let last = "";
      for (;;) {
        signal?.throwIfAborted();
        const view = await exchange(exchangeId);
        const text = JSON.stringify(view);
        if (text !== last) onChange?.(view);
        last = text;
        if (isFinal(view.state)) return view;
        await delay(pollMs, undefined, { signal });
      }
    },
  };
}
