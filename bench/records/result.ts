/** What the runs add up to. */
import { median } from "../../local/load/statistics.ts";
import { ways, type Run, type Way } from "./ways.ts";

/** The cases: the whole, a tenth of it, and one whose cost is all fixed. */
export const sizes = ["whole", "tenth", "tiny"] as const;
export type Size = (typeof sizes)[number];

/** The runs of one way on one case. */
export interface Series {
  readonly way: Way;
  readonly size: Size;
  readonly runs: readonly Run[];
}

/** The last line of stdout. */
export interface Result {
  readonly rows: number;
  readonly rowsPerSecond: Readonly<Record<Way, number>>;
  readonly growth: number;
  readonly peakMemoryMiB: Readonly<Record<"serverSide" | "streaming", number>>;
  readonly tinySeconds: number;
}

export const seconds = ({ runs }: Series): number => median(runs.map((run) => run.seconds));

/** Of a tiny exchange everything counts but Spark's own start. */
const fixedSeconds = ({ way, runs }: Series): number =>
  median(runs.map((run) => (way === "streaming" ? (run.workSeconds ?? run.seconds) : run.seconds)));

export const peakMiB = ({ runs }: Series): number => Math.max(...runs.map((run) => run.peakMiB ?? 0));

/** @param rows of each case */
export function resultOf(all: readonly Series[], rows: Readonly<Record<Size, number>>): Result {
  const of = (way: Way, size: Size) => all.find((each) => each.way === way && each.size === size);
  const speed = (way: Way, size: Size) => {
    const series = of(way, size);
    return series ? rows[size] / seconds(series) : 0;
  };
  const memory = (way: Way) =>
    Math.max(...all.filter((each) => each.way === way && each.size === "whole").map(peakMiB));
  const speeds = ways.map((way) => [way, Math.round(speed(way, of(way, "whole") ? "whole" : "tenth"))]);
  return {
    rows: rows.whole,
    rowsPerSecond: Object.fromEntries(speeds) as Record<Way, number>,
    growth: hundredths(speed("serverSide", "whole") / speed("serverSide", "tenth")),
    peakMemoryMiB: { serverSide: memory("serverSide"), streaming: memory("streaming") },
    tinySeconds: hundredths(Math.max(...all.filter(({ size }) => size === "tiny").map(fixedSeconds))),
  };
}

/** A line for each series, for people. */
export function table(all: readonly Series[], rows: Readonly<Record<Size, number>>): string {
  const lines = all.map((series) => [
    series.way,
    rows[series.size].toLocaleString("en"),
    String(series.runs.length),
    seconds(series).toFixed(2),
    Math.round(rows[series.size] / seconds(series)).toLocaleString("en"),
    peakMiB(series) > 0 ? String(peakMiB(series)) : "",
  ]);
  const cells = [["", "rows", "runs", "seconds", "rows/s", "peak MiB"], ...lines];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? [];
  return cells
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  "),
    )
    .join("\n");
}

/** What is wanted of the record copy, and whether it was reached. */
export function verdicts(result: Result, all: readonly Series[]): string {
  const { rowsPerSecond: speed, growth, tinySeconds } = result;
  const atLeast = (least: number, what: string, value: number) =>
    verdict(value >= least, `${what}: ${hundredths(value)}`, `at least ${least}`);
  const memory = (["serverSide", "streaming"] as const).map((way) => {
    const [tenth = 0, whole = 0] = (["tenth", "whole"] as const).map((size) =>
      Math.max(...all.filter((each) => each.way === way && each.size === size).map(peakMiB)),
    );
    return verdict(whole <= tenth * 1.25, `memory, ${way}: ${whole} MiB, of a tenth ${tenth} MiB`, "much the same");
  });
  return [
    atLeast(0.5, "serverSide / limit", speed.serverSide / speed.limit),
    atLeast(1, "serverSide / mydumper", speed.serverSide / speed.mydumper),
    atLeast(1.2, "streaming / dumpPipe", speed.streaming / speed.dumpPipe),
    atLeast(8, "streaming / sparkDefaults", speed.streaming / speed.sparkDefaults),
    atLeast(0.8, "growth: rows/s of serverSide, whole / tenth", growth),
    ...memory,
    verdict(tinySeconds <= 3, `a tiny exchange, by the slower mover: ${tinySeconds} s`, "at most 3 s"),
  ].join("\n");
}

function verdict(ok: boolean, found: string, wanted: string): string {
  return `${ok ? "✔" : "✖"} ${found} (wanted: ${wanted})`;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
