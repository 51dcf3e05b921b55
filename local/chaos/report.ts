import type { Plan, Result } from "./results.ts";

/** The command that runs a row again. */
export function replay(row: string): string {
  return `npm run chaos -- --only '${row.replaceAll("'", `'\\''`)}'`;
}

/** Faults × points × outcome, the points that the time of a run repeats, and how to replay what went wrong. */
export function table(results: readonly Result[], plan: Plan | undefined): string {
  const groups = Map.groupBy(results, ({ row }) => groupOf(row));
  const lines = [...groups].map(([group, rows]) => {
    const count = (verdict: Result["verdict"]) => rows.filter((row) => row.verdict === verdict).length;
    const seconds = rows.map((row) => row.seconds).sort((a, b) => a - b);
    return [
      group,
      rows.length,
      count("held") + count("caught"),
      count("violated") + count("missed"),
      count("unreached"),
      (seconds[Math.floor(seconds.length / 2)] ?? 0).toFixed(1),
    ].map(String);
  });
  const head = ["fault × points", "rows", "held", "violated", "unreached", "median s"];
  const wrong = results.filter(({ verdict }) => verdict === "violated" || verdict === "missed");
  const repeated = (plan?.points ?? []).filter(({ times }) => times > 1);
  return [
    ...aligned([head, ...lines]),
    "",
    ...repeated.map(({ label, times }) => `repeated by time, its first stands for all: ${label}, seen ${times} times`),
    ...results.filter(({ verdict }) => verdict === "unreached").map(({ row }) => `not reached: ${replay(row)}`),
    ...wrong.flatMap(({ row, violations, state }) => [
      `✖ ${row} (${state ?? "no end"}): ${replay(row)}`,
      ...violations.slice(0, 12).map(({ invariant, what }) => `    ${invariant} ${what}`),
    ]),
    `seed ${plan?.seed ?? 0}`,
  ].join("\n");
}

/** The last line, for machines. */
export function summary(results: readonly Result[]): string {
  const bugs = results.filter(({ row }) => row.startsWith("bug "));
  return JSON.stringify({
    runs: results.length - bugs.length,
    violations: results.filter(({ verdict }) => verdict === "violated").length,
    seededBugs: bugs.length,
    caught: bugs.filter(({ verdict }) => verdict === "caught").length,
  });
}

/** Kills by side, victim and what they met; everything else by its form. */
function groupOf(row: string): string {
  const [form = "", moment = "", label = ""] = row.split(" ");
  if (form === "kill") {
    const victim = row.includes(" of the host") ? "host" : "engine";
    if (row.includes(" & ")) return "kill twice, the second time in the recovery";
    return `kill the ${victim} ${moment} ${label.split(".")[0] ?? ""}`;
  }
  return form === "fault" || form === "bug" ? row : form;
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
