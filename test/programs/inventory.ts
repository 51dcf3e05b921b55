/** Everything in the account that our stacks could leave behind, as the auditor sees it. */
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { GetJobsCommand, GlueClient } from "@aws-sdk/client-glue";
import { IAMClient, ListPoliciesCommand, ListRolesCommand } from "@aws-sdk/client-iam";
import { LambdaClient, ListEventSourceMappingsCommand, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { ListSecretsCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { ListStateMachinesCommand, SFNClient } from "@aws-sdk/client-sfn";
import { ListSubscriptionsCommand, ListTopicsCommand, SNSClient } from "@aws-sdk/client-sns";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { Cloud } from "../../local/cloud/cloud.ts";

export async function inventory(cloud: Cloud): Promise<string[]> {
  const auditor = cloud.client("auditor");
  const lambda = new LambdaClient(auditor);
  const sns = new SNSClient(auditor);
  const iam = new IAMClient(auditor);
  const found = await Promise.all([
    new SQSClient(auditor).send(new ListQueuesCommand({})).then(({ QueueUrls }) => QueueUrls),
    lambda.send(new ListFunctionsCommand({})).then(({ Functions }) => Functions?.map((one) => one.FunctionArn)),
    lambda
      .send(new ListEventSourceMappingsCommand({}))
      .then(({ EventSourceMappings }) => EventSourceMappings?.map((one) => one.UUID)),
    sns.send(new ListTopicsCommand({})).then(({ Topics }) => Topics?.map((one) => one.TopicArn)),
    sns
      .send(new ListSubscriptionsCommand({}))
      .then(({ Subscriptions }) => Subscriptions?.map((one) => one.SubscriptionArn)),
    iam.send(new ListRolesCommand({})).then(({ Roles }) => Roles?.map((one) => one.Arn)),
    iam.send(new ListPoliciesCommand({ Scope: "Local" })).then(({ Policies }) => Policies?.map((one) => one.Arn)),
    new CloudWatchLogsClient(auditor)
      .send(new DescribeLogGroupsCommand({}))
      .then(({ logGroups }) => logGroups?.map((one) => one.logGroupName)),
    new SecretsManagerClient(auditor)
      .send(new ListSecretsCommand({}))
      .then(({ SecretList }) => SecretList?.map((one) => one.ARN)),
    new SFNClient(auditor)
      .send(new ListStateMachinesCommand({}))
      .then(({ stateMachines }) => stateMachines?.map((one) => one.stateMachineArn)),
    new GlueClient(auditor).send(new GetJobsCommand({})).then(({ Jobs }) => Jobs?.map((one) => one.Name)),
    new S3Client({ ...auditor, forcePathStyle: true })
      .send(new ListBucketsCommand({}))
      .then(({ Buckets }) => Buckets?.map((one) => one.Name)),
  ]);
  return found
    .flatMap((names) => names ?? [])
    .map(String)
    .sort();
}
