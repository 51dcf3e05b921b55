import { expect } from "chai";
import type { Bug } from "../../local/chaos/bugs/bug.ts";
import { quickSample, wholeMatrix } from "../../local/chaos/plan.ts";
import { parseRow, type KnownPoint } from "../../local/chaos/rows.ts";
import type { Fault } from "../../local/chaos/scenario.ts";

const point = (label: string, occurrence: number, ofOperation: boolean): KnownPoint => ({
  label,
  occurrence,
  wire: label.startsWith("sql") ? "sql" : "aws",
  ofOperation,
  times: 1,
});
const points = [
  point("api.POST /exchanges", 1, false),
  point("sql.insert operations(purpose=provision)", 1, false),
  point("sql.update exchanges(state=STARTING) + insert transitions(to_state=STARTING)", 1, false),
  point("sqs.CreateQueue(s3_copy_queue)", 1, true),
  point("s3.PutObject(state stacks)", 1, true),
  point("s3.PutObject(state stacks)", 2, true),
  point("states.StartExecution(record_copy)", 1, false),
  point("sns.Publish(EXCHANGER_INITIATED)", 1, false),
  point("sqs.ReceiveMessage(orch: DB_COPY_FINISHED)", 1, false),
  point("sqs.DeleteQueue(s3_copy_queue)", 1, true),
];
const fault = (name: string): Fault => ({ name, what: "", at: "", begin: () => nothing });
const nothing = { struck: () => true, end: () => undefined };
const faults = ["a", "b", "c"].map(fault);
const bug: Bug = { name: "doubled", breaks: "", edits: [], row: "clean", by: ["I3"], shows: /doubled/ };
const names = (rows: readonly { name: string }[]) => rows.map(({ name }) => name);

describe("the whole matrix", () => {
  const whole = (seed: number) => wholeMatrix({ points, faults, seed, pairs: 5 });

  it("has both sides of every point, every fault, and the pairs that were asked for, each once", () => {
    // Act
    const rows = names(whole(1));

    // Assess
    const kills = points.flatMap(({ label, occurrence, ofOperation }) =>
      (label.startsWith("sqs.ReceiveMessage") ? ["after"] : ["before", "after"]).map(
        (moment) => `kill ${moment} ${label}#${occurrence}${ofOperation ? " of the host" : ""}`,
      ),
    );
    const alone = ["kill after sqs.CreateQueue(s3_copy_queue)#1", "kill after sqs.DeleteQueue(s3_copy_queue)#1"];
    expect(rows).to.include.members([...kills, ...alone, "fault a", "fault b", "fault c"]);
    expect(rows.filter((name) => name.includes(" & ")).length).to.equal(5);
    expect(new Set(rows).size).to.equal(rows.length);
  });

  it("is the same for the same seed, and every row of it can be run again by its name", () => {
    // Act
    const [one, again, other] = [whole(7), whole(7), whole(8)];

    // Assess
    expect(names(again)).to.deep.equal(names(one));
    expect(names(other)).not.to.deep.equal(names(one));
    expect(one.map(({ name }) => parseRow(name, faults).name)).to.deep.equal(names(one));
  });

  it("lets the second of a pair come while something is still to be done", () => {
    // Act
    const pairs = names(wholeMatrix({ points, faults, seed: 5, pairs: 200 })).filter((name) => name.includes(" & "));

    // Assess
    const tooLate = pairs.filter((name) => {
      const index = points.findIndex(({ label, occurrence }) => name.includes(`${label}#${occurrence}`));
      const nth = Number(/\+(\d+)/.exec(name)?.[1]);
      return !(nth <= Math.max(1, points.length - 1 - index));
    });
    expect(pairs.length).to.equal(200);
    expect(tooLate).to.deep.equal([]);
  });

  it("ends with the writes of Pulumi's state", () => {
    // Act
    const last = names(whole(3)).slice(-4);

    // Assess
    expect(last.every((name) => name.includes("s3.PutObject(state stacks)"))).to.equal(true);
  });
});

describe("the quick sample", () => {
  it("has some of each kind, a bug included, and depends on the seed", () => {
    // Act
    const [one, again] = [5, 5].map((seed) => names(quickSample({ points, faults, bugs: [bug], seed })));

    // Assess
    expect(again).to.deep.equal(one);
    const kinds = Map.groupBy(one ?? [], (name) => (name.includes(" & ") ? "pair" : (name.split(" ")[0] ?? "")));
    expect(Object.fromEntries([...kinds].map(([kind, rows]) => [kind, rows.length]))).to.deep.equal({
      kill: 7,
      bug: 1,
      cancel: 1,
      pair: 1,
      fault: 2,
    });
  });
});
