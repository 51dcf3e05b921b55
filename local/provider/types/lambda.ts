import type {
  Architecture,
  CreateFunctionRequest,
  FunctionConfiguration,
  Lambda,
  LogFormat,
  Runtime,
  TracingMode,
} from "@aws-sdk/client-lambda";
import { bytesOf } from "../assets.ts";
import type { Context } from "../context.ts";
import { partition } from "../context.ts";
import { PermanentError } from "../../../contracts/errors.ts";
import { define } from "../resource.ts";
import { ifExists, inUse, propagating } from "../retrying.ts";
import { asset, flag, number, object, text, textList, textMap, textSet, type Values } from "../schema.ts";

const properties = {
  arn: text({ role: "output" }),
  invokeArn: text({ role: "output" }),
  lastModified: text({ role: "output", volatile: true }),
  qualifiedArn: text({ role: "output", volatile: true }),
  qualifiedInvokeArn: text({ role: "output", volatile: true }),
  responseStreamingInvokeArn: text({ role: "output" }),
  sourceCodeSize: number({ role: "output", volatile: true }),
  version: text({ role: "output", volatile: true }),
  architectures: textList({ computed: true }),
  code: asset({ unread: true }),
  codeSha256: text({ computed: true, volatile: true }),
  description: text(),
  environment: object({ variables: textMap() }),
  ephemeralStorage: object({ size: number({ computed: true }) }, { computed: true }),
  handler: text(),
  loggingConfig: object(
    {
      applicationLogLevel: text({ computed: true }),
      logFormat: text({ role: "required" }),
      logGroup: text({ computed: true }),
      systemLogLevel: text({ computed: true }),
    },
    { computed: true },
  ),
  memorySize: number({ default: 128 }),
  name: text({ replaces: true }),
  packageType: text({ default: "Zip", replaces: true }),
  publish: flag({ default: false, unread: true }),
  reservedConcurrentExecutions: number({ default: -1 }),
  role: text({ role: "required" }),
  runtime: text(),
  s3Bucket: text({ unread: true }),
  s3Key: text({ unread: true }),
  s3ObjectVersion: text({ unread: true }),
  skipDestroy: flag({ default: false, unread: true }),
  sourceCodeHash: text({ computed: true, volatile: true }),
  timeout: number({ default: 3 }),
  tracingConfig: object({ mode: text({ role: "required" }) }, { computed: true }),
  vpcConfig: object({
    ipv6AllowedForDualStack: flag(),
    securityGroupIds: textSet({ role: "required" }),
    subnetIds: textSet({ role: "required" }),
    vpcId: text({ computed: true }),
  }),
};
type FunctionInputs = Values<typeof properties>;

const codeProperties = ["code", "s3Bucket", "s3Key", "s3ObjectVersion", "sourceCodeHash", "architectures"] as const;

export const lambdaFunction = define({
  token: "aws:lambda/function:Function",
  properties,
  unsupported: [
    "capacityProviderConfig",
    "codeSigningConfigArn",
    "deadLetterConfig",
    "durableConfig",
    "fileSystemConfig",
    "imageConfig",
    "imageUri",
    "kmsKeyArn",
    "layers",
    "publishTo",
    "replaceSecurityGroupsOnDestroy",
    "replacementSecurityGroupIds",
    "signingJobArn",
    "signingProfileVersionArn",
    "snapStart",
    "sourceKmsKeyArn",
    "tenancyConfig",
    "useResourceTimeoutForPropagation",
  ],
  naming: { property: "name", maxLength: 64 },
  validate({ code, s3Bucket, s3Key, packageType, handler, runtime }) {
    const faults = [];
    if (packageType !== "Zip")
      faults.push({
        property: "packageType",
        reason: `"${packageType ?? ""}" is not supported by the local provider: use "Zip"`,
      });
    if ((code === undefined) === (s3Bucket === undefined))
      faults.push({ property: "code", reason: "exactly one of code and s3Bucket must be given" });
    if ((s3Bucket === undefined) !== (s3Key === undefined))
      faults.push({ property: "s3Key", reason: "s3Bucket and s3Key belong together" });
    if (handler === undefined) faults.push({ property: "handler", reason: "must be given for a zip package" });
    if (runtime === undefined) faults.push({ property: "runtime", reason: "must be given for a zip package" });
    return faults;
  },

  async create(context, inputs, tags) {
    const lambda = await context.aws.lambda();
    const request: CreateFunctionRequest = {
      ...configurationOf(inputs),
      FunctionName: inputs.name,
      Role: inputs.role,
      Code: await codeOf(inputs),
      PackageType: "Zip",
      Publish: inputs.publish,
      Tags: tags,
      ...(inputs.architectures === undefined ? {} : { Architectures: inputs.architectures as Architecture[] }),
    };
    const made = await context.retry([...propagating, ...inUse], () => lambda.createFunction(request));
    const id = context.created(made.FunctionName ?? "");
    if (inputs.reservedConcurrentExecutions !== -1) {
      await becomeActive(context, lambda, id);
      await reserve(context, lambda, id, inputs.reservedConcurrentExecutions);
    }
    return id;
  },
  async settle(context, id) {
    await becomeActive(context, await context.aws.lambda(), id);
  },
  async read(context, id, known) {
    const lambda = await context.aws.lambda();
    const found = await ifExists(() => lambda.getFunction({ FunctionName: id }));
    const configuration = found?.Configuration;
    if (configuration === undefined) return undefined;
    const arn = configuration.FunctionArn ?? "";
    const invokeArn = (of: string, path: string) =>
      `arn:${partition(context.region)}:apigateway:${context.region}:lambda:path/${path}/functions/${of}/invocations`;
    // A hash of the caller's own making stays as long as the code is the one that it was made for.
    const unchanged = known.codeSha256 === undefined || known.codeSha256 === configuration.CodeSha256;
    return {
      ...stateOf(configuration),
      arn,
      qualifiedArn: `${arn}:${configuration.Version ?? "$LATEST"}`,
      invokeArn: invokeArn(arn, "2015-03-31"),
      qualifiedInvokeArn: invokeArn(`${arn}:${configuration.Version ?? "$LATEST"}`, "2015-03-31"),
      responseStreamingInvokeArn: invokeArn(arn, "2021-11-15").replace(
        /invocations$/,
        "response-streaming-invocations",
      ),
      sourceCodeHash: unchanged ? (known.sourceCodeHash ?? configuration.CodeSha256) : configuration.CodeSha256,
      reservedConcurrentExecutions: found?.Concurrency?.ReservedConcurrentExecutions ?? -1,
      tagsAll: found?.Tags ?? {},
    };
  },
  async update(context, id, { inputs, changed }) {
    const lambda = await context.aws.lambda();
    if (codeProperties.some((name) => changed.has(name))) {
      const code = await codeOf(inputs);
      await becomeActive(context, lambda, id);
      await context.retry(inUse, () =>
        lambda.updateFunctionCode({
          ...code,
          FunctionName: id,
          Publish: inputs.publish,
          ...(inputs.architectures === undefined ? {} : { Architectures: inputs.architectures as Architecture[] }),
        }),
      );
    }
    const apart = new Set<string>([...codeProperties, "reservedConcurrentExecutions", "publish", "skipDestroy"]);
    if ([...changed].some((name) => !apart.has(name))) {
      await becomeActive(context, lambda, id);
      await context.retry([...propagating, ...inUse], () =>
        lambda.updateFunctionConfiguration({ ...configurationOf(inputs), FunctionName: id, Role: inputs.role }),
      );
    }
    if (changed.has("reservedConcurrentExecutions"))
      await reserve(context, lambda, id, inputs.reservedConcurrentExecutions);
  },
  async delete(context, id, state) {
    if (state.skipDestroy === true) return;
    const lambda = await context.aws.lambda();
    await context.retry(inUse, () => lambda.deleteFunction({ FunctionName: id }));
  },
  tagging: {
    add: async (context, _id, Tags, { arn }) => (await context.aws.lambda()).tagResource({ Resource: arn, Tags }),
    remove: async (context, _id, TagKeys, { arn }) =>
      (await context.aws.lambda()).untagResource({ Resource: arn, TagKeys }),
  },
});

async function codeOf(inputs: FunctionInputs): Promise<{ ZipFile?: Uint8Array; S3Bucket?: string; S3Key?: string }> {
  if (inputs.code !== undefined) return { ZipFile: await bytesOf(inputs.code) };
  return {
    ...(inputs.s3Bucket === undefined ? {} : { S3Bucket: inputs.s3Bucket }),
    ...(inputs.s3Key === undefined ? {} : { S3Key: inputs.s3Key }),
    ...(inputs.s3ObjectVersion === undefined ? {} : { S3ObjectVersion: inputs.s3ObjectVersion }),
  };
}

/** What creation and update say in the same words; what is absent is reset. */
function configurationOf(inputs: FunctionInputs) {
  const { ephemeralStorage, loggingConfig, tracingConfig, vpcConfig } = inputs;
  return {
    Description: inputs.description ?? "",
    Environment: { Variables: inputs.environment?.variables ?? {} },
    Handler: inputs.handler,
    MemorySize: inputs.memorySize,
    Runtime: inputs.runtime as Runtime | undefined,
    Timeout: inputs.timeout,
    VpcConfig: {
      SubnetIds: vpcConfig?.subnetIds ?? [],
      SecurityGroupIds: vpcConfig?.securityGroupIds ?? [],
      ...(vpcConfig?.ipv6AllowedForDualStack === undefined
        ? {}
        : { Ipv6AllowedForDualStack: vpcConfig.ipv6AllowedForDualStack }),
    },
    ...(ephemeralStorage === undefined ? {} : { EphemeralStorage: { Size: ephemeralStorage.size } }),
    ...(loggingConfig === undefined
      ? {}
      : {
          LoggingConfig: {
            LogFormat: loggingConfig.logFormat as LogFormat,
            LogGroup: loggingConfig.logGroup,
            ...(loggingConfig.logFormat === "JSON" ? levelsOf(loggingConfig) : {}),
          },
        }),
    ...(tracingConfig === undefined ? {} : { TracingConfig: { Mode: tracingConfig.mode as TracingMode } }),
  };
}

function levelsOf(config: NonNullable<FunctionInputs["loggingConfig"]>) {
  type Level = "DEBUG" | "INFO" | "WARN";
  return {
    ApplicationLogLevel: config.applicationLogLevel as Level | undefined,
    SystemLogLevel: config.systemLogLevel as Level | undefined,
  };
}

function stateOf(of: FunctionConfiguration) {
  const vpc = of.VpcConfig;
  return {
    name: of.FunctionName,
    role: of.Role,
    architectures: of.Architectures,
    codeSha256: of.CodeSha256,
    description: of.Description,
    environment: of.Environment?.Variables === undefined ? undefined : { variables: of.Environment.Variables },
    ephemeralStorage: of.EphemeralStorage === undefined ? undefined : { size: of.EphemeralStorage.Size },
    handler: of.Handler,
    lastModified: of.LastModified,
    loggingConfig:
      of.LoggingConfig === undefined
        ? undefined
        : {
            logFormat: of.LoggingConfig.LogFormat ?? "Text",
            logGroup: of.LoggingConfig.LogGroup,
            applicationLogLevel: of.LoggingConfig.ApplicationLogLevel,
            systemLogLevel: of.LoggingConfig.SystemLogLevel,
          },
    memorySize: of.MemorySize,
    packageType: of.PackageType,
    runtime: of.Runtime,
    sourceCodeSize: of.CodeSize,
    timeout: of.Timeout,
    tracingConfig: of.TracingConfig?.Mode === undefined ? undefined : { mode: of.TracingConfig.Mode },
    version: of.Version,
    vpcConfig:
      vpc?.SubnetIds === undefined || vpc.SubnetIds.length === 0
        ? undefined
        : {
            subnetIds: vpc.SubnetIds,
            securityGroupIds: vpc.SecurityGroupIds ?? [],
            vpcId: vpc.VpcId,
            ipv6AllowedForDualStack: vpc.Ipv6AllowedForDualStack,
          },
  };
}

/** Waits until the function can be invoked and changed. */
async function becomeActive(context: Context, lambda: Lambda, FunctionName: string): Promise<void> {
  await context.until(`the function ${FunctionName} to be Active`, async () => {
    const { State, StateReason, LastUpdateStatus, LastUpdateStatusReason } = await lambda.getFunctionConfiguration({
      FunctionName,
    });
    if (State === "Failed" || LastUpdateStatus === "Failed") {
      throw new PermanentError(
        "FUNCTION_FAILED",
        `the function ${FunctionName} failed: ${StateReason ?? LastUpdateStatusReason ?? "no reason given"}`,
      );
    }
    return (State ?? "Active") === "Active" && (LastUpdateStatus ?? "Successful") === "Successful" ? true : undefined;
  });
}

async function reserve(
  context: Context,
  lambda: Lambda,
  FunctionName: string,
  reserved: number | undefined,
): Promise<void> {
  await context.retry(inUse, async () => {
    if (reserved === undefined || reserved < 0) await lambda.deleteFunctionConcurrency({ FunctionName });
    else await lambda.putFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions: reserved });
  });
}
