/** Small things that the local cloud's suites make in the shared cloud, each under a name of its own. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { CreateJobCommand, GetJobRunCommand, GlueClient, StartJobRunCommand, type JobRun } from "@aws-sdk/client-glue";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
  type DescribeExecutionCommandOutput,
} from "@aws-sdk/client-sfn";
import type { Cloud } from "../../local/cloud/cloud.ts";

export interface Statement {
  Effect: "Allow" | "Deny";
  Action: string | string[];
  Resource: string | string[];
}

/** A value that AWS always gives but its types leave open. */
function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the answer lacks a value that it always has");
  return value;
}

export const unique = (prefix: string) => `${prefix}-${randomUUID().slice(0, 8)}`;

/** A role that `principal` may assume and that may do what the statements say; returns its ARN. */
export async function createRole(
  cloud: Cloud,
  principal: object,
  statements: Statement[],
  RoleName = unique("test-role"),
): Promise<string> {
  const iam = new IAMClient(cloud.client("operator"));
  const trust = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: principal, Action: "sts:AssumeRole" }],
  };
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }));
  await allow(cloud, RoleName, statements);
  return given(Role?.Arn);
}

/** Replace what a role may do. */
export async function allow(cloud: Cloud, role: string, statements: Statement[]): Promise<void> {
  const iam = new IAMClient(cloud.client("operator"));
  const none: Statement[] = [{ Effect: "Deny", Action: "sts:GetFederationToken", Resource: "*" }];
  const Statement = statements.length > 0 ? statements : none;
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.send(
    new PutRolePolicyCommand({ RoleName: given(role.split("/").at(-1)), PolicyName: "test", PolicyDocument }),
  );
}

/** A bucket with these objects. */
export async function createBucket(cloud: Cloud, objects: Record<string, string | Uint8Array> = {}): Promise<string> {
  const s3 = new S3Client(cloud.client("operator"));
  const Bucket = unique("test-bucket");
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const [Key, Body] of Object.entries(objects)) await s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  return Bucket;
}

/** A Glue job that runs `script` (Python) with the rights of `statements`; returns its name. */
export async function createJob(
  cloud: Cloud,
  script: string,
  options: { statements?: Statement[]; defaults?: Record<string, string>; concurrent?: number; minutes?: number } = {},
): Promise<string> {
  const glue = new GlueClient(cloud.client("operator"));
  const bucket = await createBucket(cloud, { "script.py": script });
  const Name = unique("test-job");
  await glue.send(
    new CreateJobCommand({
      Name,
      Role: await createRole(cloud, { Service: "glue.amazonaws.com" }, options.statements ?? []),
      Command: { Name: "glueetl", ScriptLocation: `s3://${bucket}/script.py`, PythonVersion: "3" },
      GlueVersion: "5.0",
      DefaultArguments: options.defaults ?? {},
      ExecutionProperty: { MaxConcurrentRuns: options.concurrent ?? 1 },
      Timeout: options.minutes ?? 60,
    }),
  );
  return Name;
}

export async function startRun(cloud: Cloud, JobName: string, Arguments: Record<string, string> = {}): Promise<string> {
  const glue = new GlueClient(cloud.client("operator"));
  const { JobRunId } = await glue.send(new StartJobRunCommand({ JobName, Arguments }));
  return given(JobRunId);
}

/** Wait until a run is in one of these states. */
export async function runIn(cloud: Cloud, JobName: string, RunId: string, states: string[]): Promise<JobRun> {
  const glue = new GlueClient(cloud.client("operator"));
  for (;;) {
    const run = given((await glue.send(new GetJobRunCommand({ JobName, RunId }))).JobRun);
    if (states.includes(given(run.JobRunState))) return run;
    await delay(100);
  }
}

export const ended = ["SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT"];

/** A state machine under a role with these rights; returns its ARN. */
export async function createMachine(cloud: Cloud, definition: object, statements: Statement[]): Promise<string> {
  const states = new SFNClient(cloud.client("operator"));
  const { stateMachineArn } = await states.send(
    new CreateStateMachineCommand({
      name: unique("test-machine"),
      definition: JSON.stringify(definition),
      roleArn: await createRole(cloud, { Service: "states.amazonaws.com" }, statements),
    }),
  );
  return given(stateMachineArn);
}

export async function startExecution(cloud: Cloud, stateMachineArn: string, input: object = {}): Promise<string> {
  const states = new SFNClient(cloud.client("operator"));
  const command = new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) });
  return given((await states.send(command)).executionArn);
}

/** Wait for an execution's end. */
export async function executionEnd(cloud: Cloud, executionArn: string): Promise<DescribeExecutionCommandOutput> {
  const states = new SFNClient(cloud.client("operator"));
  for (;;) {
    const execution = await states.send(new DescribeExecutionCommand({ executionArn }));
    if (execution.status !== "RUNNING") return execution;
    await delay(100);
  }
}
