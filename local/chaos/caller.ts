import { setTimeout as delay } from "node:timers/promises";
import { isFinal } from "../../contracts/states.ts";
import { exchangeView, type Client, type ExchangeView } from "../platform/client.ts";

const patienceMs = 100;
const pollMs = 250;

/** A caller that behaves: it repeats what was not answered, under the same key, until it is. */
export interface Caller {
  /** POSTs until the answer is 202; the exchange's id. */
  request(body: object, idempotencyKey: string, signal: AbortSignal): Promise<string>;
  /** Asks for the cancellation until that is answered; whether it was taken. */
  cancel(exchangeId: string, signal: AbortSignal): Promise<boolean>;
  /** Asks until the exchange has ended; what the API then says of it, whole. */
  follow(exchangeId: string, signal: AbortSignal): Promise<{ view: ExchangeView; body: unknown }>;
}

export function createCaller(client: Client): Caller {
  /** What a client may take for "not now": no connection, no answer, a server's own trouble. */
  async function answered(method: string, path: string, signal: AbortSignal, options = {}) {
    for (;;) {
      signal.throwIfAborted();
      const answer = await client.request(method, path, options).catch(() => undefined);
      if (answer && answer.status < 500 && answer.status !== 429) return answer;
      await delay(patienceMs, undefined, { signal });
    }
  }

  return {
    async request(body, idempotencyKey, signal) {
      const answer = await answered("POST", "/exchanges", signal, {
        body,
        headers: { "idempotency-key": idempotencyKey },
      });
      const { exchangeId } = (answer.body ?? {}) as { exchangeId?: unknown };
      if (answer.status === 202 && typeof exchangeId === "string") return exchangeId;
      throw new Error(`the engine refused the exchange with ${answer.status}: ${JSON.stringify(answer.body)}`);
    },
    async cancel(exchangeId, signal) {
      return (await answered("POST", `/exchanges/${exchangeId}/cancel`, signal)).status === 202;
    },
    async follow(exchangeId, signal) {
      for (;;) {
        const { status, body } = await answered("GET", `/exchanges/${exchangeId}`, signal);
        if (status === 200) {
          const view = exchangeView.parse(body);
          if (isFinal(view.state)) return { view, body };
        }
        await delay(pollMs, undefined, { signal });
      }
    },
  };
}
