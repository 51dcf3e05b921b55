import type { FinalState } from "../../contracts/states.ts";
import type { GlobalOutputs } from "../../programs/global/outputs.ts";
import type { Cloud } from "../cloud/cloud.ts";
import type { EngineProcess, Victim } from "./engine-process.ts";
import type { Call, Moment, Switchboard } from "./wires/switchboard.ts";

/** A moment of an exchange: a request by its name, or the how manieth that changes something since the last misfortune. */
export type Point = { readonly label: string; readonly occurrence: number } | { readonly nth: number };

/** A kill, exactly there. */
export interface Strike {
  readonly point: Point;
  readonly moment: Moment;
  readonly victim: Victim;
}

/** Another misfortune than a kill of the engine. */
export interface Fault {
  readonly name: string;
  /** What happens, in a sentence. */
  readonly what: string;
  /** Where it strikes, for the table. */
  readonly at: string;
  /** The states in which an exchange may end under it; FINISHED alone by default. */
  readonly ends?: readonly FinalState[];
  /** How many files it keeps from arriving for good: so many have to be told as failed. None by default. */
  readonly costs?: number;
  /** Settings that the engine has to have for it. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Called before the exchange is asked for. */
  begin(surroundings: Surroundings): Promise<Struck> | Struck;
}

/** A fault under way. */
export interface Struck {
  /** Whether it has struck by now; a run in which it did not proves nothing. */
  readonly struck: () => boolean;
  /** Called when the exchange has ended: leaves everything as it was before. */
  readonly end: () => Promise<void> | void;
}

/** What a fault can lay its hands on. */
export interface Surroundings {
  readonly cloud: Cloud;
  readonly outputs: GlobalOutputs;
  readonly engine: EngineProcess;
  /** Every request of the engine and of its children passes here. */
  readonly switchboard: Switchboard;
  /** Lets the caller ask for the exchange's cancellation. */
  readonly cancel: () => void;
  /** Makes another engine on the same registry, on a port of its own; not started yet. Whoever asks for it stops it. */
  readonly secondEngine: () => Promise<EngineProcess>;
}

/** One exchange under misfortune. */
export interface Scenario {
  /** Names the row, and is what repeats it. */
  readonly name: string;
  /** Kills, each armed when the one before has struck; the engine is started again after each. */
  readonly strikes?: readonly Strike[];
  readonly fault?: Fault;
  /** When the caller asks for the exchange's cancellation. */
  readonly cancel?: { readonly point: Point; readonly moment: Moment };
  /** The states in which the exchange may end; FINISHED alone by default. */
  readonly ends?: readonly FinalState[];
}

export function matches(point: Point, call: Call): boolean {
  if ("nth" in point) return call.mutates && call.nth === point.nth;
  return call.label === point.label && call.occurrence === point.occurrence;
}

export function nameOf(point: Point): string {
  return "nth" in point ? `+${point.nth}` : `${point.label}#${point.occurrence}`;
}
