import { InvalidInputError } from "../../contracts/errors.ts";
import { nameOf, type Fault, type Point, type Scenario, type Strike } from "./scenario.ts";
import type { Call, Moment } from "./wires/switchboard.ts";

/** What a row is made of; together they make its name, and the name is all that is needed to run it again. */
export type Part =
  | { readonly does: "kill"; readonly strike: Strike }
  | { readonly does: "cancel"; readonly moment: Moment; readonly point: Point }
  | { readonly does: "fault"; readonly fault: Fault };

const between = " & ";
const cleanName = "clean";

/** Nothing goes wrong. */
export const clean: Scenario = { name: cleanName };

export function row(...parts: readonly Part[]): Scenario {
  const strikes = parts.flatMap((part) => (part.does === "kill" ? [part.strike] : []));
  const [cancel] = parts.flatMap((part) =>
    part.does === "cancel" ? [{ moment: part.moment, point: part.point }] : [],
  );
  const [fault] = parts.flatMap((part) => (part.does === "fault" ? [part.fault] : []));
  const ends = fault?.ends ?? ["FINISHED"];
  return {
    name: parts.map(nameOfPart).join(between),
    ...(strikes.length > 0 && { strikes }),
    ...(fault && { fault }),
    // Asked for when the exchange has just ended, a cancellation is refused.
    ...(cancel && { cancel, ends: [...ends, "CANCELLED"] }),
  };
}

function nameOfPart(part: Part): string {
  switch (part.does) {
    case "kill": {
      const { moment, point, victim } = part.strike;
      return `kill ${moment} ${nameOf(point)}${victim === "host" ? onHost : ""}`;
    }
    case "cancel":
      return `cancel ${part.moment} ${nameOf(part.point)}`;
    case "fault":
      return `fault ${part.fault.name}`;
  }
}

const onHost = " of the host";

/** The scenario of a row's name; throws an error that shows the forms which there are. */
export function parseRow(name: string, faults: readonly Fault[]): Scenario {
  if (name === cleanName) return clean;
  return row(...name.split(between).map((part) => parsePart(part, faults)));
}

function parsePart(text: string, faults: readonly Fault[]): Part {
  const fault = faults.find((one) => text === `fault ${one.name}`);
  if (fault) return { does: "fault", fault };
  const [, does, moment, where = "", host] = /^(kill|cancel) (before|after) (.+?)( of the host)?$/.exec(text) ?? [];
  const point = parsePoint(where);
  if (!point || (moment !== "before" && moment !== "after")) throw unknownRow(text, faults);
  if (does === "cancel") return { does: "cancel", moment, point };
  return { does: "kill", strike: { moment, point, victim: host === undefined ? "engine" : "host" } };
}

function parsePoint(text: string): Point | undefined {
  const nth = /^\+(\d+)$/.exec(text)?.[1];
  if (nth !== undefined) return { nth: Number(nth) };
  const [, label, occurrence] = /^(.+)#(\d+)$/.exec(text) ?? [];
  return label === undefined ? undefined : { label, occurrence: Number(occurrence) };
}

function unknownRow(text: string, faults: readonly Fault[]): InvalidInputError {
  const forms = [
    cleanName,
    `kill before|after LABEL#N|+N[${onHost}]`,
    "cancel before|after LABEL#N",
    ...faults.map((fault) => `fault ${fault.name}`),
  ];
  return new InvalidInputError(
    "UNKNOWN_ROW",
    `'${text}' is no row: give one of these, or several joined with '${between}': ${forms.join("; ")}`,
  );
}

/** A moment that every run has, as far as timing goes. */
export interface KnownPoint {
  readonly label: string;
  readonly occurrence: number;
  readonly wire: Call["wire"];
  /** Part of a Pulumi operation: it happens in a child of the engine. */
  readonly ofOperation: boolean;
  /** How often the clean run met it, where it comes as time passes; 1 for all others. */
  readonly times: number;
}

/** The points of a clean run, in their order: every request that changes something, and of periodic ones the first. */
export function pointsOf(calls: readonly Call[]): KnownPoint[] {
  const effects = calls.filter((call) => call.mutates);
  return effects.flatMap(({ label, occurrence, wire, periodic }) => {
    if (periodic && occurrence > 1) return [];
    const times = periodic ? effects.filter((other) => other.label === label).length : 1;
    return [{ label, occurrence, wire, ofOperation: isOfOperation(label), times }];
  });
}

/** What only Pulumi's processes do: they write the state, and make and remove resources. */
function isOfOperation(label: string): boolean {
  return (
    label.includes("(state ") ||
    /^(lambda|iam|logs)\./.test(label) ||
    /^sns\.\w*(Subscri|Unsubscri)/.test(label) ||
    /^sqs\.(CreateQueue|DeleteQueue|SetQueueAttributes|TagQueue)/.test(label)
  );
}
