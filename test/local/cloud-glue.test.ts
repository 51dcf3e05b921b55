import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { BatchStopJobRunCommand, GetJobRunsCommand, GlueClient } from "@aws-sdk/client-glue";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetExecutionHistoryCommand, SFNClient, StopExecutionCommand } from "@aws-sdk/client-sfn";
import { assert, expect } from "chai";
import type { Cloud } from "../../local/cloud/cloud.ts";
import { sharedCloud } from "../support/cloud.ts";
import {
  createBucket,
  createJob,
  createMachine,
  ended,
  executionEnd,
  runIn,
  startExecution,
  startRun,
} from "./cloud-kit.ts";

/** A Spark program that counts, and writes what it saw to the S3 address in --out. */
const counting = `
import json, os, sys
from pyspark.sql import SparkSession
import boto3_free as s3

given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
spark = SparkSession.builder.getOrCreate()
count = spark.range(100).selectExpr("sum(id)").first()[0]
s3.put(given["--out"], json.dumps({"sum": count, "a": given["--a"], "b": given["--b"], "job": given["--JOB_NAME"]}))
`;

/** S3 by botocore, which is all that the environment has; given to the job as an extra Python file. */
const boto3Free = `
import botocore.session
def put(uri, body):
    bucket, _, key = uri[5:].partition("/")
    botocore.session.get_session().create_client("s3").put_object(Bucket=bucket, Key=key, Body=body.encode())
`;

const sleeping = "import time\ntime.sleep(600)\n";

describe("a Glue job of the local cloud", function () {
  this.timeout(120_000);
  let cloud: Cloud;
  before(async () => {
    cloud = await sharedCloud();
  });

  it("runs as a real Spark program, with its default arguments, those of the run, and the job's own rights", async () => {
    // Prepare
    const bucket = await createBucket(cloud, { "boto3_free.py": boto3Free });
    const job = await createJob(cloud, counting, {
      statements: [{ Effect: "Allow", Action: "s3:PutObject", Resource: `arn:aws:s3:::${bucket}/out/*` }],
      defaults: { "--extra-py-files": `s3://${bucket}/boto3_free.py`, "--a": "default", "--b": "default" },
    });

    // Act
    const run = await startRun(cloud, job, { "--b": "of the run", "--out": `s3://${bucket}/out/result.json` });
    const { JobRunState, ErrorMessage } = await runIn(cloud, job, run, ended);

    // Assess
    expect({ JobRunState, ErrorMessage }).to.deep.equal({ JobRunState: "SUCCEEDED", ErrorMessage: undefined });
    const s3 = new S3Client(cloud.client("operator"));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "out/result.json" }));
    expect(JSON.parse(await Body!.transformToString())).to.deep.equal({
      sum: 4950,
      a: "default",
      b: "of the run",
      job,
    });
  });

  it("fails with the exception and the end of its log where its role lacks a right", async () => {
    // Prepare
    const bucket = await createBucket(cloud, { "boto3_free.py": boto3Free });
    const job = await createJob(
      cloud,
      `print("this is the log")\nimport boto3_free\nboto3_free.put("s3://${bucket}/forbidden", "x")\n`,
      { defaults: { "--extra-py-files": `s3://${bucket}/boto3_free.py` } },
    );

    // Act
    const run = await startRun(cloud, job);
    const { JobRunState, ErrorMessage } = await runIn(cloud, job, run, ended);

    // Assess
    expect(JobRunState).to.equal("FAILED");
    expect(ErrorMessage).to.match(/^botocore\S*AccessDenied\S*: /);
    expect(ErrorMessage).to.contain("this is the log");
    expect(await readFile(join(cloud.logDir, "glue", `${run}.log`), "utf8")).to.contain("this is the log");
  });

  it("is killed when its run is stopped, and a second stop is refused", async () => {
    // Prepare
    const glue = new GlueClient(cloud.client("operator"));
    const job = await createJob(cloud, `import os\nprint("pid", os.getpid(), flush=True)\n${sleeping}`);
    const run = await startRun(cloud, job);
    const log = join(cloud.logDir, "glue", `${run}.log`);
    const pid = Number(await until(async () => /pid (\d+)/.exec(await readFile(log, "utf8"))?.[1]));

    // Act
    const stop = () => glue.send(new BatchStopJobRunCommand({ JobName: job, JobRunIds: [run] }));
    const first = await stop();
    const { JobRunState } = await runIn(cloud, job, run, ended);
    const second = await stop();

    // Assess
    expect(first.SuccessfulSubmissions).to.deep.equal([{ JobName: job, JobRunId: run }]);
    expect(JobRunState).to.equal("STOPPED");
    expect(second.Errors?.map((error) => error.ErrorDetail?.ErrorCode)).to.deep.equal(["InvalidInputException"]);
    assert.throws(() => process.kill(pid, 0), "ESRCH");
  });

  it("refuses a run beyond the job's limit", async () => {
    // Prepare
    const glue = new GlueClient(cloud.client("operator"));
    const job = await createJob(cloud, sleeping, { concurrent: 1 });
    const run = await startRun(cloud, job);

    // Act
    const refusal: unknown = await startRun(cloud, job).catch((error: unknown) => error);

    // Assess
    expect((refusal as Error).name).to.equal("ConcurrentRunsExceededException");
    const { JobRuns } = await glue.send(new GetJobRunsCommand({ JobName: job }));
    expect(JobRuns?.map((each) => each.Id)).to.deep.equal([run]);
    await glue.send(new BatchStopJobRunCommand({ JobName: job, JobRunIds: [run] }));
    await runIn(cloud, job, run, ended);
  });
});

describe("a state machine of the local cloud", function () {
  this.timeout(120_000);
  let cloud: Cloud;
  before(async () => {
    cloud = await sharedCloud();
  });

  const runJob = (job: string) => ({
    Type: "Task",
    Resource: "arn:aws:states:::glue:startJobRun.sync",
    Parameters: { JobName: job, Arguments: { "--text.$": "$.text" } },
  });
  const rightsOn = (job: string, actions = ["glue:StartJobRun", "glue:GetJobRun", "glue:BatchStopJobRun"]) => [
    { Effect: "Allow" as const, Action: actions, Resource: `arn:aws:glue:us-east-1:*:job/${job}` },
  ];

  it("waits for a Glue job and gets its run", async () => {
    // Prepare
    const job = await createJob(cloud, "import sys\nassert sys.argv[sys.argv.index('--text') + 1] == 'two words'\n");
    const definition = { StartAt: "Copy", States: { Copy: { ...runJob(job), End: true } } };
    const machine = await createMachine(cloud, definition, rightsOn(job));

    // Act
    const execution = await executionEnd(cloud, await startExecution(cloud, machine, { text: "two words" }));

    // Assess
    expect(execution.status, execution.cause).to.equal("SUCCEEDED");
    const { JobName, JobRunState, Arguments } = JSON.parse(execution.output!) as Record<string, unknown>;
    expect({ JobName, JobRunState, Arguments }).to.deep.equal({
      JobName: job,
      JobRunState: "SUCCEEDED",
      Arguments: { "--text": "two words" },
    });
  });

  it("retries a failed Glue job and then catches it, with the run as the cause", async () => {
    // Prepare
    const job = await createJob(cloud, "raise SystemExit('no such case: 7')\n");
    const definition = {
      StartAt: "Copy",
      States: {
        Copy: {
          ...runJob(job),
          Retry: [{ ErrorEquals: ["States.TaskFailed"], IntervalSeconds: 1, MaxAttempts: 1 }],
          Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: "Caught" }],
          End: true,
        },
        Caught: { Type: "Pass", End: true },
      },
    };
    const machine = await createMachine(cloud, definition, rightsOn(job));

    // Act
    const execution = await executionEnd(cloud, await startExecution(cloud, machine, { text: "-" }));

    // Assess
    expect(execution.status, execution.cause).to.equal("SUCCEEDED");
    const { failure } = JSON.parse(execution.output!) as { failure: { Error: string; Cause: string } };
    const cause = JSON.parse(failure.Cause) as { JobRunState: string; ErrorMessage: string };
    expect([failure.Error, cause.JobRunState]).to.deep.equal(["States.TaskFailed", "FAILED"]);
    expect(cause.ErrorMessage).to.contain("no such case: 7");
    const { JobRuns } = await new GlueClient(cloud.client("operator")).send(new GetJobRunsCommand({ JobName: job }));
    expect(JobRuns?.length).to.equal(2);
  });

  it("stops its Glue run when the execution is stopped, and tries nothing again", async () => {
    // Prepare
    const job = await createJob(cloud, sleeping);
    const Retry = [{ ErrorEquals: ["States.ALL"], IntervalSeconds: 1, MaxAttempts: 1 }];
    const definition = { StartAt: "Copy", States: { Copy: { ...runJob(job), Retry, End: true } } };
    const machine = await createMachine(cloud, definition, rightsOn(job));
    const executionArn = await startExecution(cloud, machine, { text: "-" });
    const [glue, states] = [new GlueClient(cloud.client("operator")), new SFNClient(cloud.client("operator"))];
    const runs = async () => (await glue.send(new GetJobRunsCommand({ JobName: job }))).JobRuns ?? [];
    const run = await until(async () => (await runs())[0]?.Id);

    // Act
    await states.send(new StopExecutionCommand({ executionArn }));
    await runIn(cloud, job, run, ended);
    await until(async () => {
      const { events = [] } = await states.send(new GetExecutionHistoryCommand({ executionArn }));
      return events.filter((event) => event.type === "TaskFailed").length === 2 ? true : undefined;
    });

    // Assess
    expect((await runs()).map((each) => each.JobRunState)).to.deep.equal(["STOPPED"]);
    expect((await executionEnd(cloud, executionArn)).status).to.equal("ABORTED");
  });

  it("may start a job only where its role says so", async () => {
    // Prepare
    const job = await createJob(cloud, "print('done')\n");
    const definition = { StartAt: "Copy", States: { Copy: { ...runJob(job), End: true } } };
    const machine = await createMachine(cloud, definition, rightsOn("another-job"));

    // Act
    const execution = await executionEnd(cloud, await startExecution(cloud, machine, { text: "-" }));

    // Assess
    expect([execution.status, execution.error]).to.deep.equal(["FAILED", "Glue.AccessDeniedException"]);
    expect(execution.cause).to.match(/not authorized to perform: glue:StartJobRun on resource: .*:job\/test-job/);
    const { JobRuns } = await new GlueClient(cloud.client("operator")).send(new GetJobRunsCommand({ JobName: job }));
    expect(JobRuns).to.deep.equal([]);
  });
});

/** Ask until there is an answer. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    await delay(100);
  }
}
