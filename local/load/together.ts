import type { ExchangeState } from "../../contracts/states.ts";
import { exchangeStates } from "../../contracts/states.ts";
import type { Client, ExchangeView } from "../platform/client.ts";
import { PlatformInputError } from "../platform/errors.ts";
import type { Progress } from "../toolchain/index.ts";
import { median, tenths } from "./statistics.ts";

/** The body of one request. */
export interface Wanted {
  readonly sourceCaseId: number;
  readonly destinationCaseId: number;
  readonly batchId: string;
  readonly selection: Readonly<Record<string, unknown>>;
  readonly includeNatives: boolean;
}

export interface Measures {
  readonly finished: number;
  readonly secondsToInitiated: { readonly median: number; readonly max: number };
  /** Stacks brought up in a minute, from the first request to the last stack. */
  readonly stacksPerMinute: number;
  /** From the first request to the last end. */
  readonly seconds: number;
  /** One line for each exchange that did not finish. */
  readonly failures: readonly string[];
}

/** Posts all requests at the same time and follows the exchanges to their ends. */
export async function runTogether(
  client: Client,
  wanted: readonly Wanted[],
  progress: Progress,
  signal: AbortSignal,
): Promise<ExchangeView[]> {
  const states = new Map<string, ExchangeState>();
  const show = () => {
    const count = (state: ExchangeState) => [...states.values()].filter((each) => each === state).length;
    const present = exchangeStates.filter((state) => count(state) > 0);
    progress(present.map((state) => `${state} ${count(state)}`).join("  "));
  };
  const ids = await Promise.all(wanted.map((body) => post(client, body)));
  return Promise.all(
    ids.map((id) =>
      client.follow(
        id,
        ({ state }) => {
          if (states.get(id) === state) return;
          states.set(id, state);
          show();
        },
        signal,
      ),
    ),
  );
}

/** Returns the id of the exchange. */
export async function post(client: Client, body: Wanted): Promise<string> {
  const answer = await client.request("POST", "/exchanges", { body });
  const { exchangeId } = (answer.body ?? {}) as { exchangeId?: unknown };
  if (answer.status === 202 && typeof exchangeId === "string") return exchangeId;
  throw new PlatformInputError("REFUSED", `the engine answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

/** What the exchanges' own histories say, by the registry's clock. */
export function measure(views: readonly ExchangeView[]): Measures {
  const entered = ({ stateHistory }: ExchangeView, state: ExchangeState) =>
    stateHistory.find((entry) => entry.state === state)?.at.getTime();
  const began = Math.min(...views.map((view) => entered(view, "ACCEPTED") ?? Infinity));
  const up = views.flatMap((view) => entered(view, "STARTING") ?? []);
  const waits = views.flatMap((view) => {
    const [asked, initiated] = [entered(view, "ACCEPTED"), entered(view, "COPYING_RECORDS")];
    return asked === undefined || initiated === undefined ? [] : (initiated - asked) / 1000;
  });
  const ended = Math.max(...views.map((view) => view.stateHistory.at(-1)?.at.getTime() ?? began));
  return {
    finished: views.filter(({ state }) => state === "FINISHED").length,
    secondsToInitiated: { median: tenths(median(waits)), max: tenths(Math.max(0, ...waits)) },
    stacksPerMinute: up.length === 0 ? 0 : tenths((up.length * 60_000) / (Math.max(...up) - began)),
    seconds: tenths((ended - began) / 1000),
    failures: views
      .filter(({ state }) => state !== "FINISHED")
      .map(
        ({ exchangeId, state, failure }) => `${exchangeId} ${state}: ${failure?.code ?? ""} ${failure?.message ?? ""}`,
      ),
  };
}
