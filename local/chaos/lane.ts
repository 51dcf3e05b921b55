import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { metadataKinds } from "../../contracts/request.ts";
import { takeFingerprint, type Before, type Outsider } from "../check/check.ts";
import type { CheckedExchange } from "../check/scope.ts";
import { createClient, type ExchangeView } from "../platform/client.ts";
import { openOutsider } from "../platform/outsider.ts";
import { startPlatform, type Cases, type Platform } from "../platform/platform.ts";
import type { Stage } from "../platform/stage.ts";
import { createCaller } from "./caller.ts";
import { destinationsOf, type Destinations } from "./destinations.ts";
import type { EngineProcess } from "./engine-process.ts";
import { wireEngine, type WiredEngine } from "./engine-behind-wires.ts";
import { matches, type Scenario, type Strike } from "./scenario.ts";
import type { Call, Switchboard } from "./wires/switchboard.ts";

export interface LaneOptions {
  readonly stage: Stage;
  /** Holds all files of this lane, logs included. */
  readonly runDir: string;
  readonly signal?: AbortSignal;
}

/** A cloud, its global stack, and an engine behind wires, in which one run follows the other. */
export interface Lane {
  readonly platform: Platform;
  readonly engine: EngineProcess;
  readonly switchboard: Switchboard;
  /** Runs one exchange into a fresh destination case; never rejects because of what the exchange does. */
  run(scenario: Scenario): Promise<Outcome>;
  close(): Promise<void>;
}

/** What an outsider needs to judge a run. */
export interface Outcome {
  readonly scenario: Scenario;
  /** Absent when no POST was ever answered with 202. */
  readonly exchangeId: string | undefined;
  /** The last word of the API; absent when the exchange had not ended in time. */
  readonly view: ExchangeView | undefined;
  /** The same, as it came. */
  readonly body: unknown;
  /** The API took the cancellation; false as well when it came too late. */
  readonly cancelled: boolean;
  /** What each strike of the scenario met; shorter than the scenario when a point was not reached. */
  readonly struck: readonly Call[];
  /** Every kill, cancellation and fault of the scenario has happened. */
  readonly reached: boolean;
  /** Every request of the run. */
  readonly calls: readonly Call[];
  readonly seconds: number;
  /** Looks at this run's two cases and the account. */
  readonly outsider: Outsider;
  readonly before: Before;
  /** What was asked for. */
  readonly asked: Omit<CheckedExchange, "exchangeId"> & { readonly batchId: string };
  readonly platform: Platform;
  readonly engine: EngineProcess;
}

/** An exchange that has not ended by then is stuck. */
const patienceMs = 300_000;
const documentsOfARun = 9;

export async function openLane(options: LaneOptions): Promise<Lane> {
  const opened = new AsyncDisposableStack();
  try {
    let wired: WiredEngine | undefined;
    const platform = await startPlatform({
      ...options,
      startEngine: async ({ cloud, outputs, issuer }) => {
        wired = await wireEngine(cloud, outputs, issuer);
        const made = wired;
        await made.engine.start();
        return {
          url: made.url,
          stop: async () => {
            await made.engine.stop();
            await made.close();
          },
        };
      },
    });
    opened.defer(() => platform.stop());
    if (!wired) throw new Error("the platform came up without an engine");
    const outsider = await openOutsider(platform);
    opened.defer(() => outsider.close());
    const token = await platform.issuer.token({
      subject: "chaos",
      scopes: ["exchange:read", "exchange:write", "exchange:operate"],
      cases: "*",
    });
    const destinations = destinationsOf(platform);
    opened.defer(() => destinations.close());
    const { engine, switchboard } = wired;
    const tools = { platform, outsider, wired, destinations, caller: createCaller(createClient(wired.url, token)) };
    return {
      platform,
      engine,
      switchboard,
      run: (scenario) => run(scenario, tools),
      close: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

interface Tools {
  readonly platform: Platform;
  readonly outsider: Outsider;
  readonly wired: WiredEngine;
  readonly destinations: Destinations;
  readonly caller: ReturnType<typeof createCaller>;
}

async function run(scenario: Scenario, tools: Tools): Promise<Outcome> {
  const { platform, wired, caller } = tools;
  const { engine, switchboard } = wired;
  const outsider = { ...tools.outsider, destinationCaseId: await tools.destinations.next() };
  const before = await takeFingerprint(outsider);
  const { sourceCaseId } = platform.cases;
  const asked = {
    batchId: "chaos",
    documentIds: fewOf(platform.cases),
    includeNatives: true,
    metadata: metadataKinds,
  };
  if (scenario.fault?.settings) {
    await engine.stop();
    await engine.start(scenario.fault.settings);
  }
  switchboard.reset();
  const cancel = armCancel(scenario.cancel, switchboard);
  const fault = await scenario.fault?.begin({
    cloud: platform.cloud,
    outputs: platform.outputs,
    engine,
    switchboard,
    cancel: cancel.ask,
    secondEngine: wired.second,
  });
  const strikes = armStrikes(scenario.strikes ?? [], wired, cancel);
  const started = performance.now();
  const signal = AbortSignal.timeout(patienceMs);
  const over = new AbortController();
  let ended: { exchangeId?: string; view?: ExchangeView; body?: unknown } = {};
  let cancelled: boolean | undefined;
  try {
    const { documentIds, ...rest } = asked;
    const selection = { documentIds };
    const request = { sourceCaseId, destinationCaseId: outsider.destinationCaseId, selection, ...rest };
    const exchangeId = await caller.request(request, randomUUID(), signal);
    ended = { exchangeId };
    const cancelling = cancel.due
      .then(async () => {
        if (!over.signal.aborted) cancelled = await caller.cancel(exchangeId, AbortSignal.any([signal, over.signal]));
      })
      // What was not answered until the end was not taken.
      .catch(() => undefined);
    ended = { exchangeId, ...(await caller.follow(exchangeId, signal)) };
    over.abort();
    cancel.disarm();
    await cancelling;
    await engine.ready();
    await outboxEmpty(tools, exchangeId, signal);
  } catch (error) {
    // Too late: what is missing in the outcome says so.
    if (!signal.aborted) throw error;
  } finally {
    over.abort();
    strikes.disarm();
    cancel.disarm();
    await fault?.end();
  }
  if (scenario.fault?.settings) await engine.stop();
  if (engine.pid === undefined) await engine.start(scenario.fault?.settings && {});
  return {
    scenario,
    exchangeId: ended.exchangeId,
    view: ended.view,
    body: ended.body,
    cancelled: cancelled ?? false,
    struck: strikes.struck,
    reached:
      strikes.struck.length === (scenario.strikes ?? []).length &&
      (fault?.struck() ?? true) &&
      (scenario.cancel === undefined || cancelled !== undefined),
    calls: switchboard.calls,
    seconds: (performance.now() - started) / 1000,
    outsider,
    before,
    asked,
    platform,
    engine,
  };
}

/** A few documents from all over the sample, the one without its file among them, are as telling as all, and sooner there. */
function fewOf({ expectedDocumentIds, missingDocumentId }: Cases): string[] {
  const step = Math.ceil(expectedDocumentIds.length / documentsOfARun);
  return expectedDocumentIds.filter((id, index) => index % step === 0 || id === missingDocumentId);
}

/**
 * Each strike kills the engine, exactly at its point, and has it started again at once. Those that count changes count
 * from the misfortune before.
 */
function armStrikes(strikes: readonly Strike[], { engine, switchboard }: WiredEngine, cancel: { met: () => boolean }) {
  const struck: Call[] = [];
  const disarm = switchboard.intercept(async (call, moment) => {
    const strike = strikes[struck.length];
    if (strike?.moment !== moment || !matches(strike.point, call)) return undefined;
    if ("nth" in strike.point && struck.length === 0 && !cancel.met()) return undefined;
    struck.push(call);
    await engine.kill(strike.victim);
    switchboard.countAnew();
    engine.spawn();
    return { do: "cut" };
  });
  return { struck, disarm };
}

/** `due` resolves when the caller is to ask for the cancellation; the request at that moment goes on meanwhile. */
function armCancel(cancel: Scenario["cancel"], switchboard: Switchboard) {
  let met = false;
  const { promise: due, resolve } = Promise.withResolvers<undefined>();
  const stop = switchboard.intercept((call, moment) => {
    if (met || moment !== cancel?.moment || !matches(cancel.point, call)) return undefined;
    met = true;
    switchboard.countAnew();
    resolve(undefined);
    return undefined;
  });
  return {
    due,
    ask: () => resolve(undefined),
    met: () => met,
    disarm: () => {
      stop();
      resolve(undefined);
    },
  };
}

/** What was to be told of the exchange has been told. */
async function outboxEmpty({ outsider }: Tools, exchangeId: string, signal: AbortSignal): Promise<void> {
  const query = "SELECT 1 FROM documentexchanger.outbox WHERE exchange_id = ? AND published_at IS NULL LIMIT 1";
  for (;;) {
    signal.throwIfAborted();
    const [rows] = await outsider.connection.query(query, [exchangeId]);
    if (Array.isArray(rows) && rows.length === 0) return;
    await delay(50);
  }
}
