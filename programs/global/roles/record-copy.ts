import type { Statement } from "../../components/policy.ts";
import { artifactsPrefix, exchangesPrefix } from "../storage.ts";

/** The state machine runs the Glue job, hands manifest parts to the payload Lambda and reports. */
export function stateMachineStatements(of: {
  glueJobArn: string;
  payloadFunctionArn: string;
  topicArn: string;
  dataBucketArn: string;
}): Statement[] {
  return [
    {
      Sid: "RunTheGlueJob",
      Effect: "Allow",
      Action: ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"],
      Resource: of.glueJobArn,
    },
    { Sid: "InvokePayload", Effect: "Allow", Action: "lambda:InvokeFunction", Resource: of.payloadFunctionArn },
    { Sid: "Report", Effect: "Allow", Action: "sns:Publish", Resource: of.topicArn },
    {
      Sid: "ListManifestParts",
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: of.dataBucketArn,
      Condition: { StringLike: { "s3:prefix": `${exchangesPrefix}*` } },
    },
  ];
}

/** The Glue job reaches the databases with one secret, and keeps manifest and report in the data bucket. */
export function glueJobStatements(of: {
  account: string;
  region: string;
  dataBucketArn: string;
  databaseSecretArn: string;
  connections: readonly string[];
}): Statement[] {
  const glue = `arn:aws:glue:${of.region}:${of.account}`;
  return [
    {
      Sid: "ReadItsCode",
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: `${of.dataBucketArn}/${artifactsPrefix}*`,
    },
    {
      Sid: "KeepManifestAndReport",
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
      Resource: `${of.dataBucketArn}/${exchangesPrefix}*`,
    },
    {
      Sid: "ListItsManifest",
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: of.dataBucketArn,
      Condition: { StringLike: { "s3:prefix": `${exchangesPrefix}*` } },
    },
    {
      Sid: "ReadItsSecret",
      Effect: "Allow",
      Action: "secretsmanager:GetSecretValue",
      Resource: of.databaseSecretArn,
    },
    {
      Sid: "WriteItsLogs",
      Effect: "Allow",
      Action: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: `arn:aws:logs:${of.region}:${of.account}:log-group:/aws-glue/*`,
    },
    {
      // CloudWatch metrics have no resource to name; the namespace narrows it.
      Sid: "WriteItsMetrics",
      Effect: "Allow",
      Action: "cloudwatch:PutMetricData",
      Resource: "*",
      Condition: { StringEquals: { "cloudwatch:namespace": "Glue" } },
    },
    ...(of.connections.length === 0
      ? []
      : [
          {
            Sid: "UseItsConnections",
            Effect: "Allow" as const,
            Action: "glue:GetConnection",
            Resource: [`${glue}:catalog`, ...of.connections.map((name) => `${glue}:connection/${name}`)],
          },
          {
            // Glue joins a VPC by itself; AWS offers no resource to name for most of these.
            Sid: "JoinTheVpc",
            Effect: "Allow" as const,
            Action: [
              "ec2:CreateNetworkInterface",
              "ec2:DeleteNetworkInterface",
              "ec2:DescribeNetworkInterfaces",
              "ec2:DescribeSecurityGroups",
              "ec2:DescribeSubnets",
              "ec2:DescribeVpcEndpoints",
              "ec2:DescribeRouteTables",
              "ec2:DescribeVpcAttribute",
              "ec2:CreateTags",
            ],
            Resource: "*",
          },
        ]),
  ];
}
