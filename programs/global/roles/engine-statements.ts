import { resourcePrefix } from "../../../contracts/names.ts";
import type { Statement } from "../../components/policy.ts";
import { artifactsPrefix, exchangesPrefix } from "../storage.ts";

/** What the engine's rights are measured by. */
export interface EngineReach {
  account: string;
  region: string;
  boundaryArn: string;
  topicArn: string;
  orchestrationQueueArn: string;
  uploaderQueueArn: string;
  stateMachineArn: string;
  glueJobArn: string;
  dataBucketArn: string;
  stateBucket: string;
  registrySecretArn: string;
  caseReaderSecretArn: string;
}

/** What the engine may do: make and remove the resources of exchanges, and drive them. */
export function engineStatements(of: EngineReach): Statement[] {
  return [
    ...makeQueues(of),
    ...makeSubscriptions(of),
    ...makeRoles(of),
    ...makeFunctions(of),
    ...sweep,
    ...drive(of),
    ...keepState(of),
  ];
}

function makeQueues({ region, account }: EngineReach): Statement[] {
  return [
    {
      Sid: "QueuesOfExchanges",
      Effect: "Allow",
      Action: [
        "sqs:CreateQueue",
        "sqs:DeleteQueue",
        "sqs:GetQueueUrl",
        "sqs:GetQueueAttributes",
        "sqs:SetQueueAttributes",
        "sqs:ListQueueTags",
        "sqs:TagQueue",
        "sqs:UntagQueue",
      ],
      Resource: `arn:aws:sqs:${region}:${account}:${resourcePrefix}*_queue_*`,
    },
  ];
}

function makeSubscriptions({ topicArn, region, account }: EngineReach): Statement[] {
  return [
    {
      Sid: "SubscribeQueuesOfExchanges",
      Effect: "Allow",
      Action: "sns:Subscribe",
      Resource: topicArn,
      Condition: {
        StringEquals: { "sns:Protocol": "sqs" },
        StringLike: { "sns:Endpoint": `arn:aws:sqs:${region}:${account}:${resourcePrefix}*_queue_*` },
      },
    },
    {
      // IAM knows no resource for what is done to a subscription.
      Sid: "SubscriptionsOfExchanges",
      Effect: "Allow",
      Action: ["sns:Unsubscribe", "sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes"],
      Resource: "*",
    },
  ];
}

function makeRoles({ account, boundaryArn }: EngineReach): Statement[] {
  const roles = `arn:aws:iam::${account}:role/${resourcePrefix}*_role_*`;
  return [
    {
      // Neither a role without the boundary nor a policy on one: no right can grow here beyond the boundary.
      Sid: "RolesUnderTheBoundary",
      Effect: "Allow",
      Action: ["iam:CreateRole", "iam:PutRolePolicy", "iam:DeleteRolePolicy"],
      Resource: roles,
      Condition: { ArnEquals: { "iam:PermissionsBoundary": boundaryArn } },
    },
    {
      Sid: "RolesOfExchanges",
      Effect: "Allow",
      Action: [
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListRolePolicies",
        "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
        "iam:ListRoleTags",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:DeleteRole",
      ],
      Resource: roles,
    },
    {
      Sid: "RolesForLambdaOnly",
      Effect: "Allow",
      Action: "iam:PassRole",
      Resource: roles,
      Condition: { StringEquals: { "iam:PassedToService": "lambda.amazonaws.com" } },
    },
  ];
}

function makeFunctions({ region, account, dataBucketArn }: EngineReach): Statement[] {
  const functions = `arn:aws:lambda:${region}:${account}:function:${resourcePrefix}*_lambda_*`;
  const mappings = `arn:aws:lambda:${region}:${account}:event-source-mapping:*`;
  return [
    {
      Sid: "FunctionsOfExchanges",
      Effect: "Allow",
      Action: [
        "lambda:CreateFunction",
        "lambda:DeleteFunction",
        "lambda:GetFunction",
        "lambda:GetFunctionConfiguration",
        "lambda:GetFunctionCodeSigningConfig",
        "lambda:ListVersionsByFunction",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
        "lambda:ListTags",
        "lambda:TagResource",
        "lambda:UntagResource",
      ],
      Resource: functions,
    },
    { Sid: "Bundles", Effect: "Allow", Action: "s3:GetObject", Resource: `${dataBucketArn}/${artifactsPrefix}*` },
    {
      // A mapping has an id for a name; the function is what it can be told by.
      Sid: "MappingsOfExchanges",
      Effect: "Allow",
      Action: ["lambda:CreateEventSourceMapping", "lambda:UpdateEventSourceMapping"],
      Resource: "*",
      Condition: { ArnLike: { "lambda:FunctionArn": functions } },
    },
    {
      // A deletion whose answer was lost is asked for again, and a mapping that is gone has no function any more.
      Sid: "RemoveMappingsOfExchanges",
      Effect: "Allow",
      Action: "lambda:DeleteEventSourceMapping",
      Resource: mappings,
      Condition: { ArnLikeIfExists: { "lambda:FunctionArn": functions } },
    },
    {
      // Without the function, because it must be told of a mapping that is gone too.
      Sid: "SeeMappings",
      Effect: "Allow",
      Action: ["lambda:GetEventSourceMapping", "lambda:ListTags", "lambda:TagResource", "lambda:UntagResource"],
      Resource: mappings,
    },
    {
      Sid: "LogGroupsOfExchanges",
      Effect: "Allow",
      Action: [
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:PutRetentionPolicy",
        "logs:DeleteRetentionPolicy",
        "logs:ListTagsForResource",
        "logs:TagResource",
        "logs:UntagResource",
      ],
      Resource: [logGroups(region, account), `${logGroups(region, account)}:*`],
    },
  ];
}

function logGroups(region: string, account: string): string {
  return `arn:aws:logs:${region}:${account}:log-group:/aws/lambda/${resourcePrefix}*_lambda_*`;
}

/** Finding what is left of an exchange. AWS lets none of these listings be narrowed to a resource. */
const sweep: Statement[] = [
  {
    Sid: "FindLeftovers",
    Effect: "Allow",
    Action: [
      "tag:GetResources",
      "sqs:ListQueues",
      "lambda:ListFunctions",
      "lambda:ListEventSourceMappings",
      "iam:ListRoles",
      "logs:DescribeLogGroups",
    ],
    Resource: "*",
  },
];

function drive(of: EngineReach): Statement[] {
  const executions = `${of.stateMachineArn.replace(":stateMachine:", ":execution:")}:*`;
  return [
    { Sid: "StartRecordCopy", Effect: "Allow", Action: "states:StartExecution", Resource: of.stateMachineArn },
    {
      Sid: "FollowRecordCopy",
      Effect: "Allow",
      Action: ["states:DescribeExecution", "states:StopExecution"],
      Resource: executions,
    },
    {
      // A stopped state machine stops its run only at best; and a copy that did not finish is taken back by a run.
      Sid: "EndAndUndoRecordCopy",
      Effect: "Allow",
      Action: ["glue:GetJobRuns", "glue:BatchStopJobRun", "glue:StartJobRun"],
      Resource: of.glueJobArn,
    },
    { Sid: "Publish", Effect: "Allow", Action: "sns:Publish", Resource: of.topicArn },
    {
      Sid: "FollowEvents",
      Effect: "Allow",
      Action: [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
        "sqs:SendMessage",
      ],
      Resource: of.orchestrationQueueArn,
    },
    { Sid: "CommandTheUploader", Effect: "Allow", Action: "sqs:SendMessage", Resource: of.uploaderQueueArn },
    {
      Sid: "ReadItsSecrets",
      Effect: "Allow",
      Action: "secretsmanager:GetSecretValue",
      Resource: [of.registrySecretArn, of.caseReaderSecretArn],
    },
    {
      Sid: "SelectionsManifestsReports",
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
      Resource: `${of.dataBucketArn}/${exchangesPrefix}*`,
    },
    {
      Sid: "ListManifests",
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: of.dataBucketArn,
      Condition: { StringLike: { "s3:prefix": `${exchangesPrefix}*` } },
    },
  ];
}

function keepState({ stateBucket }: EngineReach): Statement[] {
  return [
    {
      Sid: "PulumiState",
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
      Resource: `arn:aws:s3:::${stateBucket}/*`,
    },
    { Sid: "ListPulumiState", Effect: "Allow", Action: "s3:ListBucket", Resource: `arn:aws:s3:::${stateBucket}` },
  ];
}
