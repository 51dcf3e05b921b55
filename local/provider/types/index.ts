import type { ResourceType } from "../resource.ts";
import { logGroup, metricAlarm } from "./cloudwatch.ts";
import { eventSourceMapping } from "./event_source_mapping.ts";
import { managedPolicy, role, rolePolicy, rolePolicyAttachment } from "./iam.ts";
import { lambdaFunction } from "./lambda.ts";
import { permission } from "./lambda_permission.ts";
import { queue, queuePolicy, redriveAllowPolicy } from "./sqs.ts";

/** Every resource type that the local provider knows, by token. */
export const resourceTypes: ReadonlyMap<string, ResourceType> = new Map(
  [
    eventSourceMapping,
    lambdaFunction,
    logGroup,
    managedPolicy,
    metricAlarm,
    permission,
    queue,
    queuePolicy,
    redriveAllowPolicy,
    role,
    rolePolicy,
    rolePolicyAttachment,
  ].map((type) => [type.token, type]),
);
