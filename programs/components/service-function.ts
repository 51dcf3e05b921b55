import * as cloudwatch from "@pulumi/aws/cloudwatch/index.js";
import * as iam from "@pulumi/aws/iam/index.js";
import * as lambda from "@pulumi/aws/lambda/index.js";
import { ComponentResource, type ComponentResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import { joinVpc, policyOf, trustService, writeLogs, type Statement } from "./policy.ts";

/** How a function runs; `environment` holds variables of the operator's choice, e.g. LOG_LEVEL. */
export interface FunctionTuning {
  architecture: "x86_64" | "arm64";
  memoryMiB: number;
  timeoutSeconds: number;
  environment: Record<string, string>;
}

export interface ServiceFunctionArgs {
  /** The beginning of the role's physical name; the function's is that of the component. */
  roleName: string;
  boundaryArn?: Input<string>;
  /** What the function itself does; the right to log is added here. */
  policy: Output<readonly Statement[]>;
  code: { bucket: Input<string>; key: Input<string>; sha256Base64: Input<string> };
  tuning: FunctionTuning;
  /** Environment variables that the function needs. */
  environment: Record<string, Input<string>>;
  logRetentionDays: number;
  vpc?: { subnetIds: string[]; securityGroupIds: string[] } | undefined;
}

/**
 * A Lambda with everything that belongs to it alone: role, policy and log group. The log group is ours and not
 * Lambda's, so that it has a retention and goes when the function goes; the role may write to it, not create one.
 */
export class ServiceFunction extends ComponentResource {
  readonly role: iam.Role;
  readonly rolePolicy: iam.RolePolicy;
  readonly logGroup: cloudwatch.LogGroup;
  readonly function: lambda.Function;

  constructor(name: string, args: ServiceFunctionArgs, options: ComponentResourceOptions) {
    super("documentexchanger:components:ServiceFunction", name, {}, options);
    const child = { parent: this };
    const { boundaryArn, code, tuning, vpc } = args;

    this.role = new iam.Role(
      args.roleName,
      {
        assumeRolePolicy: trustService("lambda.amazonaws.com"),
        ...(boundaryArn !== undefined && { permissionsBoundary: boundaryArn }),
      },
      child,
    );
    this.logGroup = new cloudwatch.LogGroup(`/aws/lambda/${name}`, { retentionInDays: args.logRetentionDays }, child);
    this.rolePolicy = new iam.RolePolicy(
      args.roleName,
      {
        role: this.role.name,
        policy: policyOf({ own: args.policy, logGroup: this.logGroup.arn }, ({ own, logGroup }) => [
          ...own,
          writeLogs(logGroup),
          ...(vpc ? [joinVpc] : []),
        ]),
      },
      child,
    );
    this.function = new lambda.Function(
      name,
      {
        role: this.role.arn,
        runtime: "nodejs24.x",
        handler: "handler.handler",
        architectures: [tuning.architecture],
        s3Bucket: code.bucket,
        s3Key: code.key,
        sourceCodeHash: code.sha256Base64,
        memorySize: tuning.memoryMiB,
        timeout: tuning.timeoutSeconds,
        environment: { variables: { ...tuning.environment, ...args.environment } },
        loggingConfig: { logFormat: "Text", logGroup: this.logGroup.name },
        ...(vpc && { vpcConfig: vpc }),
      },
      // AWS checks at once that the role may make network interfaces; without a VPC there is nothing to wait for.
      vpc ? { ...child, dependsOn: [this.rolePolicy] } : child,
    );
    this.registerOutputs();
  }
}
