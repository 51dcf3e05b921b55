import { expect } from "chai";
import fc from "fast-check";
import { InvalidInputError } from "../../contracts/errors.ts";
import { parseRow, pointsOf, row, type Part } from "../../local/chaos/rows.ts";
import type { Fault, Point } from "../../local/chaos/scenario.ts";
import type { Call } from "../../local/chaos/wires/switchboard.ts";

const fault: Fault = { name: "slow, and reset", what: "", at: "", ends: ["FAILED"], begin: () => nothing };
const nothing = { struck: () => true, end: () => undefined };

const label = fc.constantFrom(
  "api.POST /exchanges",
  "sql.update exchanges(outcome state=DESTROYING) + insert transitions(to_state=DESTROYING)",
  "sqs.ReceiveMessage(orch: DB_COPY_FINISHED)",
);
const point: fc.Arbitrary<Point> = fc.oneof(
  fc.record({ label, occurrence: fc.integer({ min: 1, max: 99 }) }),
  fc.record({ nth: fc.integer({ min: 1, max: 99 }) }),
);
const moment = fc.constantFrom("before", "after");
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({
    does: fc.constant("kill"),
    strike: fc.record({ point, moment, victim: fc.constantFrom("engine", "host") }),
  }),
  fc.record({ does: fc.constant("cancel"), moment, point }),
  fc.constant({ does: "fault" as const, fault }),
);

describe("rows of the matrix", () => {
  it("are run again by their names", () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
        // Prepare
        const scenario = row(...parts);

        // Act
        const again = parseRow(scenario.name, [fault]);

        // Assess
        expect(again).to.deep.equal(scenario);
      }),
    );
  });

  it("end as the fault allows, or cancelled where that was asked for", () => {
    // Act
    const { ends } = row({ does: "fault", fault }, { does: "cancel", moment: "after", point: { nth: 1 } });

    // Assess
    expect(ends).to.deep.equal(["FAILED", "CANCELLED"]);
  });

  for (const name of ["", "kill", "kill during sns.Publish#1", "kill after sns.Publish", "fault unknown"]) {
    it(`'${name}' is none, and the error shows which there are`, () => {
      // Act
      const parse = () => parseRow(name, [fault]);

      // Assess
      expect(parse).to.throw(InvalidInputError, /clean; kill before\|after.*fault slow, and reset/);
    });
  }
});

describe("points of a clean run", () => {
  it("are its effects in their order, and of those that time repeats the first, with how often it came", () => {
    // Prepare
    const call = (name: string, occurrence: number, more: Partial<Call> = {}): Call => ({
      wire: "aws",
      label: name,
      occurrence,
      mutates: true,
      periodic: false,
      nth: 1,
      ...more,
    });
    const calls = [
      call("iam.CreateRole(s3_copy_role)", 1),
      call("sqs.GetQueueAttributes(orch)", 1, { mutates: false, nth: 0 }),
      call("sql.update exchanges(lease_until)", 1, { wire: "sql", periodic: true }),
      call("s3.PutObject(state stacks)", 1),
      call("sql.update exchanges(lease_until)", 2, { wire: "sql", periodic: true }),
      call("s3.PutObject(state stacks)", 2),
      call("sqs.SendMessage(uploader: consume)", 1),
    ];

    // Act
    const points = pointsOf(calls);

    // Assess
    const aws = { wire: "aws" as const, times: 1 };
    expect(points).to.deep.equal([
      { ...aws, label: "iam.CreateRole(s3_copy_role)", occurrence: 1, ofOperation: true },
      { wire: "sql", label: "sql.update exchanges(lease_until)", occurrence: 1, ofOperation: false, times: 2 },
      { ...aws, label: "s3.PutObject(state stacks)", occurrence: 1, ofOperation: true },
      { ...aws, label: "s3.PutObject(state stacks)", occurrence: 2, ofOperation: true },
      { ...aws, label: "sqs.SendMessage(uploader: consume)", occurrence: 1, ofOperation: false },
    ]);
  });
});
