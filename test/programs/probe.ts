/** Tries calls of AWS under a role or a profile, and tells what IAM lets through. */
import { buffer } from "node:stream/consumers";
import {
  CloudWatchLogsClient,
  DeleteLogGroupCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { build } from "esbuild";
import { execa } from "execa";
import yazl from "yazl";
import type { Cloud } from "../../local/cloud/cloud.ts";

/** A command of an AWS SDK client with its input, e.g. `["s3", "GetObject", {…}]`. */
export type Call = readonly [service: keyof typeof packages, command: string, input: object];

const packages = {
  iam: "iam",
  lambda: "lambda",
  s3: "s3",
  secretsmanager: "secrets-manager",
  sns: "sns",
  sqs: "sqs",
};

const imports = Object.entries(packages).map(
  ([name, suffix]) => `import * as ${name} from "@aws-sdk/client-${suffix}";`,
);

/** Answers for each call "allowed", or the name of its error; what AWS refuses for another reason was allowed by IAM. */
const code = `
${imports.join("\n")}
const services = { ${Object.keys(packages).join(", ")} };
const clientOf = (service) => Object.entries(service).find(([name]) => /^[A-Za-z0-9]+Client$/.test(name))[1];

export async function handler(calls) {
  return Promise.all(
    calls.map(async ([name, command, input]) => {
      const service = services[name];
      const client = new (clientOf(service))({ forcePathStyle: true });
      return client.send(new service[command + "Command"](input)).then(() => "allowed", (error) => error.name);
    }),
  );
}
`;

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("a value that AWS or esbuild always gives is missing");
  return value;
}

async function bundle(footer = ""): Promise<Uint8Array> {
  const stdin = { contents: code + footer, resolveDir: import.meta.dirname, loader: "js" as const };
  const { outputFiles } = await build({ stdin, bundle: true, write: false, platform: "node", format: "cjs" });
  return required(outputFiles[0]).contents;
}

/** What becomes of the calls in a process with nothing but the environment of a profile. */
export async function callAs(env: Record<string, string>, calls: readonly Call[]): Promise<string[]> {
  const program = await bundle(
    `handler(${JSON.stringify(calls)}).then((found) => console.log(JSON.stringify(found)));`,
  );
  const { stdout } = await execa("node", ["-"], {
    input: program,
    env: { PATH: process.env["PATH"], ...env },
    extendEnv: false,
  });
  return JSON.parse(stdout) as string[];
}

/** What becomes of the calls in a Lambda that runs under the role. */
export async function callUnder(cloud: Cloud, roleArn: string, calls: readonly Call[]): Promise<string[]> {
  const lambda = new LambdaClient(cloud.client("operator"));
  const FunctionName = `probe-${roleArn.slice(-7)}`;
  const zip = new yazl.ZipFile();
  zip.addBuffer(Buffer.from(await bundle()), "handler.js", { compress: false });
  zip.end();
  const ZipFile = await buffer(zip.outputStream);
  const shape = { Role: roleArn, Runtime: "nodejs24.x", Handler: "handler.handler", Timeout: 30 } as const;
  await lambda.send(new CreateFunctionCommand({ ...shape, FunctionName, Code: { ZipFile } }));
  try {
    await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 30, minDelay: 0.2, maxDelay: 1 }, { FunctionName });
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(calls) }));
    return JSON.parse(Buffer.from(required(Payload)).toString()) as string[];
  } finally {
    await lambda.send(new DeleteFunctionCommand({ FunctionName }));
    await new CloudWatchLogsClient(cloud.client("operator"))
      .send(new DeleteLogGroupCommand({ logGroupName: `/aws/lambda/${FunctionName}` }))
      // A Lambda that wrote nothing has none.
      .catch((error: unknown) => {
        if (!(error instanceof ResourceNotFoundException)) throw error;
      });
  }
}
