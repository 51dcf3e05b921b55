import type { FileReport } from "./one-file.ts";

/** The last line of stdout. */
export interface Totals {
  files: number;
  produced: number;
  refused: Record<string, number>;
  unreadable: number;
  leaks: number;
  crashes: number;
  slowestSeconds: number;
  peakMemoryMiB: number;
}

export function totalsOf(reports: readonly FileReport[], peakMemoryMiB: number): Totals {
  const count = (outcome: FileReport["outcome"]) => reports.filter((report) => report.outcome === outcome).length;
  const refused: Record<string, number> = {};
  for (const { outcome, code = "" } of reports) {
    if (outcome === "refused") refused[code] = (refused[code] ?? 0) + 1;
  }
  return {
    files: reports.length,
    produced: count("produced"),
    refused: Object.fromEntries(Object.entries(refused).sort(([one], [other]) => (one < other ? -1 : 1))),
    unreadable: count("unreadable"),
    leaks: reports.filter(({ leaks }) => leaks.length > 0).length,
    crashes: count("crashed"),
    slowestSeconds: Math.max(0, ...reports.map(({ seconds }) => seconds)),
    peakMemoryMiB,
  };
}
