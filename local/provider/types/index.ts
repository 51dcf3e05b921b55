import type { ResourceType } from "../resource.ts";
import * as cloudwatch from "./cloudwatch.ts";
import * as eventSourceMapping from "./event_source_mapping.ts";
import * as glue from "./glue.ts";
import * as iam from "./iam.ts";
import * as lambda from "./lambda.ts";
import * as lambdaPermission from "./lambda_permission.ts";
import * as s3Bucket from "./s3_bucket.ts";
import * as s3Lifecycle from "./s3_lifecycle.ts";
import * as s3Object from "./s3_object.ts";
import * as s3Settings from "./s3_settings.ts";
import * as secretsManager from "./secretsmanager.ts";
import * as stepFunctions from "./sfn.ts";
import * as sns from "./sns.ts";
import * as sqs from "./sqs.ts";

const modules: readonly Record<string, ResourceType>[] = [
  cloudwatch,
  eventSourceMapping,
  glue,
  iam,
  lambda,
  lambdaPermission,
  s3Bucket,
  s3Lifecycle,
  s3Object,
  s3Settings,
  secretsManager,
  stepFunctions,
  sns,
  sqs,
];

/** Every resource type that the local provider knows, by token. */
export const resourceTypes: ReadonlyMap<string, ResourceType> = new Map(
  modules.flatMap((module) => Object.values(module).map((type) => [type.token, type])),
);
