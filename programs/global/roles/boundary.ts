import * as iam from "@pulumi/aws/iam/index.js";
import type { Output } from "@pulumi/pulumi";
import { resourcePrefix } from "../../../contracts/names.ts";
import { joinVpc, policyOf, type Statement } from "../../components/policy.ts";
import type { Scope } from "../scope.ts";

/**
 * The most that any processor of any exchange may ever do. What one exchange may do is narrower and stands in the
 * policy of its role; the boundary holds whatever the engine writes there.
 */
export function makeBoundary(scope: Scope, made: { [Name in keyof Made]: Output<string> }): iam.Policy {
  const { config, accountId, options } = scope;
  return new iam.Policy(
    `${resourcePrefix}boundary`,
    {
      description: "The most that a processor of an exchange may do",
      policy: policyOf<Made & { account: string }>({ account: accountId, ...made }, (known) => [
        ...boundaryStatements({ ...known, region: config.region, caseBucket: config.caseBucket }),
        ...(config.vpc ? [joinVpc] : []),
      ]),
    },
    options,
  );
}

interface Made {
  topicArn: string;
  deadLetterQueueArn: string;
  documentEngineSecretArn: string;
  searchTextSecretArn: string;
}

export function boundaryStatements(of: Made & { account: string; region: string; caseBucket: string }): Statement[] {
  const bucket = `arn:aws:s3:::${of.caseBucket}`;
  const exchangeQueues = `arn:aws:sqs:${of.region}:${of.account}:${resourcePrefix}*_queue_*`;
  return [
    {
      Sid: "FilesOfCases",
      Effect: "Allow",
      Action: [
        "s3:GetObject",
        "s3:GetObjectTagging",
        "s3:GetObjectAttributes",
        "s3:PutObject",
        "s3:PutObjectTagging",
        "s3:AbortMultipartUpload",
      ],
      Resource: `${bucket}/case_*`,
    },
    {
      Sid: "KeysOfCases",
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: bucket,
      Condition: { StringLike: { "s3:prefix": "case_*" } },
    },
    {
      Sid: "QueuesOfExchanges",
      Effect: "Allow",
      Action: [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
        "sqs:SendMessage",
      ],
      Resource: exchangeQueues,
    },
    { Sid: "GiveUp", Effect: "Allow", Action: "sqs:SendMessage", Resource: of.deadLetterQueueArn },
    { Sid: "Report", Effect: "Allow", Action: "sns:Publish", Resource: of.topicArn },
    {
      Sid: "SecretsOfProcessors",
      Effect: "Allow",
      Action: "secretsmanager:GetSecretValue",
      Resource: [of.documentEngineSecretArn, of.searchTextSecretArn],
    },
    {
      Sid: "LogsOfExchanges",
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: `arn:aws:logs:${of.region}:${of.account}:log-group:/aws/lambda/${resourcePrefix}*_lambda_*`,
    },
  ];
}
