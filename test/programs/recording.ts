/** Runs a Pulumi program without any cloud and notes what it asked for. */
import { output, runtime } from "@pulumi/pulumi";

export const account = "111122223333";

export interface Recorded {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

export interface Recording {
  /** Resources of AWS, in a fixed order; components and providers are left out. */
  resources: Recorded[];
  providers: Recorded[];
  outputs: unknown;
}

/** ARNs as AWS would give them, so that what is made of them reads as it will. */
function arnOf(type: string, name: string): string {
  const region = "us-east-1";
  const arns: Record<string, string> = {
    "aws:sqs/queue:Queue": `arn:aws:sqs:${region}:${account}:${name}`,
    "aws:sns/topic:Topic": `arn:aws:sns:${region}:${account}:${name}`,
    "aws:iam/role:Role": `arn:aws:iam::${account}:role/${name}`,
    "aws:iam/policy:Policy": `arn:aws:iam::${account}:policy/${name}`,
    "aws:lambda/function:Function": `arn:aws:lambda:${region}:${account}:function:${name}`,
    "aws:cloudwatch/logGroup:LogGroup": `arn:aws:logs:${region}:${account}:log-group:${name}`,
    "aws:s3/bucket:Bucket": `arn:aws:s3:::${name}`,
    "aws:secretsmanager/secret:Secret": `arn:aws:secretsmanager:${region}:${account}:secret:${name}`,
    "aws:sfn/stateMachine:StateMachine": `arn:aws:states:${region}:${account}:stateMachine:${name}`,
    "aws:glue/job:Job": `arn:aws:glue:${region}:${account}:job/${name}`,
  };
  return arns[type] ?? `arn:aws:unknown:${region}:${account}:${type}/${name}`;
}

/** What AWS adds to a resource; the suffix shows where a program uses a physical name and where its own. */
function stateOf({ type, name, inputs }: Recorded): Record<string, unknown> {
  const physical = `${name}-1a2b3c4`;
  return {
    ...inputs,
    name: physical,
    arn: arnOf(type, physical),
    url: `https://sqs.us-east-1.amazonaws.com/${account}/${physical}`,
    bucket: inputs["bucket"] ?? physical,
    uuid: `uuid-of-${name}`,
  };
}

export async function record(program: () => unknown): Promise<Recording> {
  const all: Recorded[] = [];
  await runtime.setMocks(
    {
      newResource: ({ type, name, inputs, custom }) => {
        const recorded = { type, name, inputs: inputs as Record<string, unknown> };
        if (custom !== false) all.push(recorded);
        return { id: `id-of-${name}`, state: stateOf(recorded) };
      },
      call: ({ token }) => {
        if (token === "aws:index/getCallerIdentity:getCallerIdentity") return { accountId: account };
        throw new Error(`the program calls ${token}, which nobody expected`);
      },
    },
    "documentexchanger",
    "test",
    false,
  );
  const outputs = await new Promise((resolve) => {
    output({ all: program() }).apply(({ all: known }) => {
      resolve(known);
    });
  });
  await runtime.disconnect();

  const ordered = all.toSorted((one, other) => `${one.type} ${one.name}`.localeCompare(`${other.type} ${other.name}`));
  return {
    resources: ordered.filter(({ type }) => !type.startsWith("pulumi:")),
    providers: ordered.filter(({ type }) => type.startsWith("pulumi:providers:")),
    outputs,
  };
}

/** The inputs of every resource of a type, by logical name, with JSON texts read. */
export function inputsOf(recording: { resources: Recorded[] }, type: string): Record<string, unknown> {
  const found = recording.resources.filter((resource) => resource.type === type);
  return Object.fromEntries(found.map(({ name, inputs }) => [name, readable(inputs)]));
}

function readable(value: unknown): unknown {
  if (typeof value === "string" && value.startsWith("{")) return JSON.parse(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, readable(item)]));
}
