import { expect } from "chai";
import { faults } from "../../local/chaos/faults/index.ts";
import { every, trigger } from "../../local/chaos/faults/timing.ts";
import type { Surroundings } from "../../local/chaos/scenario.ts";
import { Switchboard, type Call, type Moment, type Verdict } from "../../local/chaos/wires/switchboard.ts";

/** A fault that needs nothing but the wires, begun. */
async function begin(name: string) {
  const switchboard = new Switchboard();
  const fault = faults.find((one) => one.name === name);
  const struck = await fault!.begin({ switchboard } as Surroundings);
  const meet = (label: string, moment: Moment = "before", wire: Call["wire"] = "aws"): Promise<Verdict> =>
    switchboard.decide(switchboard.number({ wire, label, mutates: true, periodic: false }), moment);
  return { ...struck, meet };
}

const call = (label: string) => ({ label }) as Call;

describe("the faults", () => {
  it("have names of their own, and say what they do and where", () => {
    expect(new Set(faults.map(({ name }) => name)).size).to.equal(faults.length);
    expect(faults.filter(({ what, at }) => what === "" || at === "")).to.deep.equal([]);
  });

  it("strike at the n-th request of a name, once", () => {
    const due = trigger({ label: /^sqs\./, occurrence: 2 });

    expect(["sqs.A", "iam.B", "sqs.C", "sqs.D"].map((label) => due(call(label)))).to.deep.equal([
      false,
      false,
      true,
      false,
    ]);
  });

  it("strike every n-th time, from the second on", () => {
    const due = every(3);

    expect(Array.from({ length: 6 }, due)).to.deep.equal([false, true, false, false, true, false]);
  });

  it("answer a share of AWS's calls with errors in the words of each service, and no others", async () => {
    const { meet, struck, end } = await begin("aws:fis:inject-api-throttle-error");
    const labels = Array.from(
      { length: 30 },
      (_, index) => ["s3.PutObject", "iam.CreateRole"][Math.floor(index / 10)] ?? "sqs.SendMessage",
    );

    const before = struck();
    const verdicts: Verdict[] = [];
    for (const label of labels) verdicts.push(await meet(label));
    const others = [await meet("sql.update", "before", "sql"), await meet("s3.PutObject", "after")];
    await end();
    const over = await meet("s3.PutObject");

    const answers = verdicts.flatMap((verdict) => (verdict.do === "answer" ? [[verdict.status, verdict.body]] : []));
    expect(answers.map(([status]) => status)).to.deep.equal([503, 400, 400]);
    expect(answers[0]?.[1]).to.contain("<Code>SlowDown</Code>");
    expect(answers[1]?.[1]).to.contain("<ErrorResponse><Error><Type>Receiver</Type><Code>Throttling</Code>");
    expect(answers[2]?.[1]).to.equal('{"__type":"ThrottlingException","message":"injected"}');
    const pass = { do: "pass" };
    expect([before, struck(), ...others, over]).to.deep.equal([false, true, pass, pass, pass]);
  });

  it("cut connections after the effect", async () => {
    const { meet, end } = await begin("connection reset after");

    const verdicts = [
      await meet("a", "before"),
      await meet("a", "after"),
      await meet("b", "before"),
      await meet("b", "after"),
    ];
    await end();

    expect(verdicts.map((verdict) => verdict.do)).to.deep.equal(["pass", "pass", "pass", "cut"]);
  });

  it("let nothing through from a moment on", async () => {
    const { meet, struck, end } = await begin("aws:network:disrupt-connectivity at the start of the state machine");

    const labels = ["sqs.CreateQueue", "states.StartExecution", "sns.Publish"];
    const verdicts: string[] = [];
    for (const label of labels) verdicts.push((await meet(label)).do);
    await end();

    expect([...verdicts, struck()]).to.deep.equal(["pass", "cut", "cut", true]);
  });
});
