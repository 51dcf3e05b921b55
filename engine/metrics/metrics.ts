import { Gauge, Registry as Collection } from "prom-client";
import { isFinal } from "../../contracts/states.ts";
import type { Registry } from "../registry/database.ts";
import { takeCensus, type Census } from "../registry/census.ts";

const breakerStates = ["closed", "half-open", "open"] as const;

export interface MetricsSources {
  readonly db: Registry;
  /** Operations of this process. */
  readonly load: () => { readonly waiting: number; readonly executing: number };
  readonly breaker: () => (typeof breakerStates)[number];
  readonly maxLive: number;
  readonly maxWaiting: number;
}

export interface Metrics {
  readonly contentType: string;
  /** Reads the registry and answers in Prometheus's text format. */
  text(): Promise<string>;
}

/** Numbers only: no id, no case, no name may appear, since whoever reaches the port can read them. */
export function engineMetrics(sources: MetricsSources): Metrics {
  const collection = new Collection();
  const gauge = <Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name: `exchanger_${name}`, help, labelNames: [...labelNames], registers: [collection] });
  const gauges = {
    exchanges: gauge("exchanges", "Exchanges by state", ["state"]),
    oldest: gauge("exchange_oldest_seconds", "How long the oldest exchange of a state has been in it", ["state"]),
    live: gauge("live_exchanges", "Exchanges that are neither waiting nor ended"),
    maxLive: gauge("live_exchanges_max", "Exchanges that may be live at once"),
    maxWaiting: gauge("waiting_exchanges_max", "Exchanges that may wait for admission at once"),
    running: gauge("operations_marked_running", "Pulumi operations that the registry marks as running"),
    executing: gauge("operations_executing", "Pulumi operations that this process executes"),
    queued: gauge("operations_queued", "Pulumi operations of this process that wait for a place"),
    unpublished: gauge("outbox_unpublished", "Messages that are not published yet"),
    outboxAge: gauge("outbox_oldest_seconds", "Age of the oldest message that is not published yet"),
    breaker: gauge("uploader_breaker", "1 for the state of the circuit breaker round the uploader", ["state"]),
  };

  function fill({ exchanges, operationsRunning, outbox }: Census): void {
    for (const { state, count, oldest } of exchanges) {
      gauges.exchanges.set({ state }, count);
      if (!isFinal(state)) gauges.oldest.set({ state }, oldest);
    }
    const live = exchanges.filter(({ state }) => state !== "ACCEPTED" && !isFinal(state));
    gauges.live.set(live.reduce((sum, { count }) => sum + count, 0));
    gauges.maxLive.set(sources.maxLive);
    gauges.maxWaiting.set(sources.maxWaiting);
    gauges.running.set(operationsRunning);
    const { executing, waiting } = sources.load();
    gauges.executing.set(executing);
    gauges.queued.set(waiting);
    gauges.unpublished.set(outbox.unpublished);
    gauges.outboxAge.set(outbox.oldest);
    for (const state of breakerStates) gauges.breaker.set({ state }, Number(state === sources.breaker()));
  }

  return {
    contentType: collection.contentType,
    async text() {
      fill(await takeCensus(sources.db));
      return collection.metrics();
    },
  };
}
