import { randomBytes, randomUUID } from "node:crypto";
import {
  CreateJobCommand,
  DeleteJobCommand,
  GetJobRunCommand,
  StartJobRunCommand,
  type GlueClient,
} from "@aws-sdk/client-glue";
import { CreateRoleCommand, DeleteRoleCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { setTimeout as delay } from "node:timers/promises";
import { awsClients, destroyClients, type AwsClients } from "../../engine/aws/clients.ts";
import { runsOf, startRemoval, stopRuns } from "../../engine/lifecycle/runs.ts";
import { trustService } from "../../programs/components/policy.ts";
import { sharedCloud } from "../support/cloud.ts";

/** Ends at once when it removes, else when it is stopped. */
const script = `
import sys, time
if "--remove" not in sys.argv:
    time.sleep(600)
if "broken" in sys.argv:
    raise ValueError("no such table")
`;

describe("runs of the record copy", function () {
  this.timeout(120_000);
  const name = `doc_exch_runs_${randomBytes(4).toString("hex")}`;
  const longAgo = new Date(0);
  let aws: AwsClients;
  let glue: GlueClient;

  before(async () => {
    const cloud = await sharedCloud();
    aws = awsClients(cloud.client("operator"));
    ({ glue } = aws);
    const bucket = name.replaceAll("_", "-");
    await aws.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "script.py", Body: script }));
    const role = await aws.iam.send(
      new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trustService("glue.amazonaws.com") }),
    );
    await glue.send(
      new CreateJobCommand({
        Name: name,
        Role: role.Role?.Arn,
        ExecutionProperty: { MaxConcurrentRuns: 5 },
        Command: { Name: "glueetl", ScriptLocation: `s3://${bucket}/script.py` },
      }),
    );
  });
  after(async () => {
    await glue.send(new DeleteJobCommand({ JobName: name }));
    await aws.iam.send(new DeleteRoleCommand({ RoleName: name }));
    destroyClients(aws);
  });

  const argumentsOf = (id: string, more: Record<string, string> = {}) => ({ "--exchange_id": id, ...more });
  async function startCopy(id: string): Promise<string> {
    const run = await glue.send(new StartJobRunCommand({ JobName: name, Arguments: argumentsOf(id) }));
    return run.JobRunId!;
  }
  async function untilEnded(id: string): Promise<Awaited<ReturnType<typeof runsOf>>> {
    for (;;) {
      const runs = await runsOf(glue, name, id, longAgo);
      if (runs.every(({ state }) => state === "succeeded" || state === "failed")) return runs;
      await delay(200);
    }
  }

  it("are found by their exchange, and stopped without touching another's", async () => {
    const [id, other] = [randomUUID(), randomUUID()];
    const [mine, theirs] = [await startCopy(id), await startCopy(other)];
    const before = await runsOf(glue, name, id, longAgo);

    await stopRuns(glue, name, [mine]);
    const [ended] = await untilEnded(id);
    await stopRuns(glue, name, [mine]);

    expect(before).to.deep.equal([{ id: mine, state: "active", removes: false, endedAt: null, error: null }]);
    expect([ended?.id, ended?.state, ended?.endedAt instanceof Date]).to.deep.equal([mine, "failed", true]);
    const { JobRun: untouched } = await glue.send(new GetJobRunCommand({ JobName: name, RunId: theirs }));
    expect(["STARTING", "RUNNING"]).to.include(untouched?.JobRunState);
    await stopRuns(glue, name, [theirs]);
    await untilEnded(other);
  });

  it("remove when they are asked to, and tell why they could not", async () => {
    const [id, broken] = [randomUUID(), randomUUID()];
    await startRemoval(glue, name, argumentsOf(id));
    await startRemoval(glue, name, argumentsOf(broken, { "--metadata": "broken" }));

    const [[removed], [failed]] = [await untilEnded(id), await untilEnded(broken)];

    expect([removed?.removes, removed?.state, removed?.error]).to.deep.equal([true, "succeeded", null]);
    expect([failed?.removes, failed?.state]).to.deep.equal([true, "failed"]);
    expect(failed?.error).to.include("no such table");
  });

  it("are none of an exchange that was never copied", async () => {
    expect(await runsOf(glue, name, randomUUID(), new Date())).to.deep.equal([]);
  });
});
