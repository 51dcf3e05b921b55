import { appendFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { summary, table } from "../../local/chaos/report.ts";
import { Results, type Result } from "../../local/chaos/results.ts";
import type { KnownPoint } from "../../local/chaos/rows.ts";

const point: KnownPoint = { label: "sql.update outbox", occurrence: 1, wire: "sql", ofOperation: false, times: 7 };

const result = (row: string, more: Partial<Result> = {}): Omit<Result, "kind" | "at"> => ({
  row,
  verdict: "held",
  violations: [],
  state: "FINISHED",
  struck: [],
  attempts: 1,
  seconds: 2,
  ...more,
});

describe("results of the matrix", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "chaos-results-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("outlive the harness, but for a line that was cut short", () => {
    // Prepare
    const before = Results.open(folder, false);
    before.setPlan(7, [point]);
    before.add(result("clean"));
    before.add(result("kill after a#1", { verdict: "violated", violations: [{ invariant: "I5", what: "left" }] }));
    appendFileSync(before.file, '{"kind":"result","row":"kill after b#1","ver');

    // Act
    const after = Results.open(folder, false);
    after.add(result("kill after c#1"));
    const later = Results.open(folder, false);

    // Assess
    expect({
      plan: later.plan,
      verdicts: ["clean", "kill after a#1", "kill after b#1", "kill after c#1"].map((row) => later.of(row)?.verdict),
    }).to.deep.equal({
      plan: { seed: 7, points: [point] },
      verdicts: ["held", "violated", undefined, "held"],
    });
  });

  it("are put aside for a fresh start, not thrown away", async () => {
    // Prepare
    Results.open(folder, false).add(result("clean"));

    // Act
    const fresh = Results.open(folder, true);

    // Assess
    expect(fresh.of("clean")).to.equal(undefined);
    expect((await readdir(folder)).length).to.equal(1);
  });

  it("are told as a table, with what to type for each row that went wrong, and as a line for machines", () => {
    // Prepare
    const results = Results.open(folder, false);
    const plan = results.setPlan(7, [point]);
    const rows = [
      results.add(result("kill before sql.a#1")),
      results.add(result("kill before sql.b#1", { seconds: 4 })),
      results.add(
        result("kill after aws's#1", { verdict: "violated", violations: [{ invariant: "I5", what: "left" }] }),
      ),
      results.add(result("bug doubled rows", { verdict: "caught" })),
      results.add(result("bug lost part", { verdict: "missed" })),
    ];

    // Act
    const told = table(rows, plan).split("\n");

    // Assess
    expect(told).to.include("repeated by time, its first stands for all: sql.update outbox, seen 7 times");
    expect(told).to.include("✖ kill after aws's#1 (FINISHED): npm run chaos -- --only 'kill after aws'\\''s#1'");
    expect(told).to.include("    I5 left");
    expect(told.find((line) => line.startsWith("kill the engine before sql"))?.split(/ {2,}/)).to.deep.equal([
      "kill the engine before sql",
      ...["2", "2", "0", "0", "4.0"],
    ]);
    expect(JSON.parse(summary(rows))).to.deep.equal({ runs: 3, violations: 1, seededBugs: 2, caught: 1 });
  });
});
