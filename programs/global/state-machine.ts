import type * as glue from "@pulumi/aws/glue/index.js";
import * as iam from "@pulumi/aws/iam/index.js";
import * as sfn from "@pulumi/aws/sfn/index.js";
import { all, type Output } from "@pulumi/pulumi";
import { resourcePrefix } from "../../contracts/names.ts";
import { policyOf, trustService } from "../components/policy.ts";
import { definition } from "./definition.ts";
import { stateMachineStatements } from "./roles/record-copy.ts";
import type { Scope } from "./scope.ts";

/** The state machine; one execution is one exchange's record copy and payload construction. */
export function makeStateMachine(
  { config, options }: Scope,
  made: {
    glueJob: glue.Job;
    payloadFunctionArn: Output<string>;
    topicArn: Output<string>;
    dataBucketArn: Output<string>;
  },
): sfn.StateMachine {
  const { glueJob, ...arns } = made;
  const name = `${resourcePrefix}state_machine`;
  const role = new iam.Role(name, { assumeRolePolicy: trustService("states.amazonaws.com") }, options);
  const policy = policyOf({ ...arns, glueJobArn: glueJob.arn }, stateMachineStatements);
  const rights = new iam.RolePolicy(name, { role: role.name, policy }, options);
  return new sfn.StateMachine(
    `${resourcePrefix}record_copy`,
    {
      roleArn: role.arn,
      definition: all([glueJob.name, made.payloadFunctionArn, made.topicArn]).apply(
        ([glueJobName, payloadFunctionArn, topicArn]) =>
          JSON.stringify(definition({ glueJobName, payloadFunctionArn, topicArn, config })),
      ),
    },
    { ...options, dependsOn: [rights] },
  );
}
