import { Random } from "../samples/content/random.ts";
import type { Bug } from "./bugs/bug.ts";
import { bugRow, type Row } from "./matrix.ts";
import { row, type KnownPoint, type Part } from "./rows.ts";
import type { Fault, Scenario } from "./scenario.ts";
import type { Moment } from "./wires/switchboard.ts";

const moments: readonly Moment[] = ["before", "after"];
/** A second misfortune comes within so many changes after the first: that is as long as a recovery takes. */
const recoveryLength = 15;
/** Of the steps of Pulumi operations every so manieth is one for a cancellation. */
const cancelStride = 5;

export interface Ingredients {
  readonly points: readonly KnownPoint[];
  readonly faults: readonly Fault[];
  readonly seed: number;
  readonly pairs: number;
}

/**
 * Everything: both sides of every point, cancellations, other faults, and pairs. They are mixed, so that a part of them
 * says something of all; the many writes of Pulumi's state, which differ least, come last.
 */
export function wholeMatrix({ points, faults, seed, pairs }: Ingredients): Scenario[] {
  const random = new Random(seed);
  const [writes, others] = [points.filter(isStateWrite), points.filter((point) => !isStateWrite(point))];
  const killed = (of: readonly KnownPoint[]) =>
    of.flatMap((point) => sidesOf(point).map((moment) => row(kill(point, moment))));
  // The engine alone dies while its children work: they notice, and wind down.
  const alone = others
    .filter(({ ofOperation }) => ofOperation)
    .map((point) => row(kill({ ...point, ofOperation: false }, "after")));
  const cancels = points
    .filter((point, index) => !point.ofOperation || index % cancelStride === 0)
    .map((point) => row(cancel(point, "after")));
  const paired = Array.from({ length: pairs }, () => row(...pair(points, random)));
  const other = faults.map((fault) => row({ does: "fault", fault }));
  return [
    ...shuffled([...other, ...killed(others), ...alone, ...cancels, ...paired], random),
    ...shuffled(killed(writes), random),
  ];
}

/** That a poll brings something is known when it has. */
function sidesOf({ label }: KnownPoint): readonly Moment[] {
  return label.startsWith("sqs.ReceiveMessage") ? ["after"] : moments;
}

function isStateWrite({ label }: KnownPoint): boolean {
  return label === "s3.PutObject(state stacks)";
}

/** A few telling rows, one of each kind, chosen by the seed; the first are the most telling, in case time is short. */
export function quickSample({
  points,
  faults,
  bugs,
  seed,
}: Omit<Ingredients, "pairs"> & { readonly bugs: readonly Bug[] }): Row[] {
  const random = new Random(seed);
  const one = (fits: (point: KnownPoint) => boolean): KnownPoint[] => {
    const fitting = points.filter(fits);
    return fitting.length === 0 ? [] : [random.pick(fitting)];
  };
  const ofEngine = (pattern: RegExp) => one((point) => !point.ofOperation && pattern.test(point.label));
  const ofOperation = (pattern: RegExp) => one((point) => point.ofOperation && pattern.test(point.label));
  const telling = [
    ...ofEngine(/^api\.POST/),
    ...ofOperation(/\.Create/),
    ...ofEngine(/to_state=|insert operations/),
    ...ofOperation(/\(state stacks\)/),
    ...ofEngine(/^sqs\.(Send|Delete)|^states\./),
    ...ofOperation(/\.Delete/),
    ...ofEngine(/^sns\.Publish/),
  ];
  const kills = telling.map((point, index) => row(kill(point, index % 2 === 0 ? "after" : "before")));
  const cancels = one((point) => point.wire === "sql").map((point) => row(cancel(point, "after")));
  const two = shuffled(faults, random).slice(0, 2);
  return [
    ...kills.slice(0, 4),
    ...random.some(bugs, 1).map(bugRow),
    ...cancels,
    row(...pair(points, random)),
    ...two.map((fault) => row({ does: "fault", fault })),
    ...kills.slice(4),
  ];
}

/** Where children work, all of them die with the engine, as when a host goes down. */
function kill({ label, occurrence, ofOperation }: KnownPoint, moment: Moment): Part {
  return {
    does: "kill",
    strike: { point: { label, occurrence }, moment, victim: ofOperation ? "host" : "engine" },
  };
}

function cancel({ label, occurrence }: KnownPoint, moment: Moment): Part {
  return { does: "cancel", moment, point: { label, occurrence } };
}

/**
 * A kill and another one while it recovers; or a cancellation and a kill while that is carried out. The second comes
 * within the changes that follow in any case.
 */
function pair(points: readonly KnownPoint[], random: Random): Part[] {
  const [index, point] = random.pick([...points.entries()]);
  const following = Math.max(1, points.length - 1 - index);
  const first = random.int(0, 2) === 0 ? cancel(point, "after") : killOfAny(point, random);
  const victim = random.pick(["engine", "host"] as const);
  const second = {
    point: { nth: random.int(1, Math.min(recoveryLength, following)) },
    moment: random.pick(moments),
    victim,
  };
  return [first, { does: "kill", strike: second }];
}

/** Whoever dies, of whatever the point is. */
function killOfAny(point: KnownPoint, random: Random): Part {
  const { label, occurrence } = point;
  const [moment, victim] = [random.pick(sidesOf(point)), random.pick(["engine", "host"] as const)];
  return { does: "kill", strike: { point: { label, occurrence }, moment, victim } };
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, order: random.next() }))
    .sort((one, other) => one.order - other.order)
    .map(({ item }) => item);
}
