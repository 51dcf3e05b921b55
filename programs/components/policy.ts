import { all, type Input, type Output } from "@pulumi/pulumi";

/** One statement of an IAM policy, in AWS's own words. Lists of one are written as the one: AWS stores them so. */
export interface Statement {
  Sid: string;
  Effect: "Allow" | "Deny";
  Principal?: "*" | { AWS: string | readonly string[] } | { Service: string };
  Action: string | readonly string[];
  Resource: string | readonly string[];
  Condition?: Record<string, Record<string, string | readonly string[]>>;
}

/** The policy as JSON. */
export function policyDocument(statements: readonly Statement[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

/** A policy of statements over values that are known only when their resources exist. */
export function policyOf<Values>(
  values: { [Name in keyof Values]: Input<Values[Name]> },
  statements: (values: Values) => readonly Statement[],
): Output<string> {
  return all(values as Record<string, Input<unknown>>).apply((known) => policyDocument(statements(known as Values)));
}

/** Trust policy of a role that only an AWS service assumes, e.g. `lambda.amazonaws.com`. */
export function trustService(service: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });
}

/** Refuses everything that does not come over TLS. */
export function onlyOverTls(action: string, resource: string | readonly string[]): Statement {
  return {
    Sid: "OnlyOverTls",
    Effect: "Deny",
    Principal: "*",
    Action: action,
    Resource: resource,
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
}

/** What an event source mapping does on the queue that it polls. */
export function consumeQueue(queueArn: string): Statement {
  return {
    Sid: "ConsumeItsQueue",
    Effect: "Allow",
    Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
    Resource: queueArn,
  };
}

/** Writing to a log group that exists. */
export function writeLogs(logGroupArn: string): Statement {
  return {
    Sid: "WriteItsLogs",
    Effect: "Allow",
    Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
    Resource: `${logGroupArn}:*`,
  };
}

/** What a Lambda or a Glue job in a VPC does; AWS offers no resource to name for these. */
export const joinVpc: Statement = {
  Sid: "JoinTheVpc",
  Effect: "Allow",
  Action: [
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
  ],
  Resource: "*",
};
