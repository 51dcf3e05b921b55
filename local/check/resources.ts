import {
  CloudWatchLogsClient,
  ListTagsForResourceCommand,
  paginateDescribeLogGroups,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  IAMClient,
  ListPolicyTagsCommand,
  ListRoleTagsCommand,
  paginateListPolicies,
  paginateListRoles,
  type Tag,
} from "@aws-sdk/client-iam";
import { LambdaClient, paginateListEventSourceMappings, paginateListFunctions } from "@aws-sdk/client-lambda";
import { paginateGetResources, ResourceGroupsTaggingAPIClient } from "@aws-sdk/client-resource-groups-tagging-api";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { paginateListExecutions, paginateListStateMachines, SFNClient } from "@aws-sdk/client-sfn";
import { paginateListSubscriptions, SNSClient } from "@aws-sdk/client-sns";
import { paginateListQueues, SQSClient } from "@aws-sdk/client-sqs";
import { resourcePrefix } from "../../contracts/names.ts";

/** Clients of somebody who may look at everything and change nothing. */
export interface AuditorClients {
  iam: IAMClient;
  lambda: LambdaClient;
  logs: CloudWatchLogsClient;
  s3: S3Client;
  sfn: SFNClient;
  sns: SNSClient;
  sqs: SQSClient;
  tagging: ResourceGroupsTaggingAPIClient;
}

/** Makes the clients; `destroy` closes their connections. */
export function auditorClients(
  settings: Pick<S3ClientConfig, "credentials" | "region"> & { endpoint?: string },
): AuditorClients & { destroy: () => void } {
  const clients = {
    iam: new IAMClient(settings),
    lambda: new LambdaClient(settings),
    logs: new CloudWatchLogsClient(settings),
    s3: new S3Client({ ...settings, forcePathStyle: settings.endpoint !== undefined }),
    sfn: new SFNClient(settings),
    sns: new SNSClient(settings),
    sqs: new SQSClient(settings),
    tagging: new ResourceGroupsTaggingAPIClient(settings),
  };
  return {
    ...clients,
    destroy: () => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

export interface Resource {
  kind: string;
  name: string;
  /** What the name and all that the resource refers to say: the prefix is looked for here. */
  text: string;
  /** Values of the tag `exchangeId`, asked only where names do not tell; absent where the tagging API covers the kind. */
  exchangeTag?: () => Promise<string | undefined>;
}

/** Everything in the account of the kinds that an exchange makes, by kind and name. */
export async function listResources(clients: AuditorClients): Promise<Map<string, Resource>> {
  const lists = await Promise.all([
    queues(clients),
    functions(clients),
    mappings(clients),
    roles(clients),
    policies(clients),
    logGroups(clients),
    subscriptions(clients),
    runningExecutions(clients),
  ]);
  return new Map(lists.flat().map((resource) => [`${resource.kind} ${resource.name}`, resource]));
}

/** Resources of exchanges that have come since `before` and are still there. */
export async function leftoverResources(
  clients: AuditorClients,
  before: ReadonlySet<string>,
  exchangeIds: readonly string[],
): Promise<string[]> {
  const [now, tagged] = await Promise.all([listResources(clients), taggedArns(clients, exchangeIds)]);
  const left: Resource[] = [];
  for (const [name, resource] of now) {
    if (before.has(name)) continue;
    const isNamed = [resourcePrefix, ...exchangeIds].some((word) => resource.text.includes(word));
    if (isNamed || exchangeIds.includes((await resource.exchangeTag?.()) ?? "")) left.push(resource);
  }
  const unnamed = tagged.filter((arn) => !left.some(({ name }) => arn.endsWith(name)));
  return [...left.map(({ kind, name }) => `${kind} ${name}`), ...unnamed.map((arn) => `resource ${arn}`)];
}

async function taggedArns({ tagging }: AuditorClients, exchangeIds: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const filter = { TagFilters: [{ Key: "exchangeId", Values: [...exchangeIds] }] };
  for await (const page of paginateGetResources({ client: tagging }, filter)) {
    for (const { ResourceARN } of page.ResourceTagMappingList ?? []) if (ResourceARN) found.push(ResourceARN);
  }
  return found;
}

const named = (kind: string, name: string): Resource => ({ kind, name, text: name });
const exchangeIn = (tags: Tag[] | undefined) => tags?.find(({ Key }) => Key === "exchangeId")?.Value;

async function queues({ sqs }: AuditorClients): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const { QueueUrls = [] } of paginateListQueues({ client: sqs, pageSize: 1000 }, {})) {
    found.push(...QueueUrls.map((url) => named("queue", url.slice(url.lastIndexOf("/") + 1))));
  }
  return found;
}

async function functions({ lambda }: AuditorClients): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const { Functions = [] } of paginateListFunctions({ client: lambda }, {})) {
    found.push(...Functions.map(({ FunctionName = "" }) => named("function", FunctionName)));
  }
  return found;
}

async function mappings({ lambda }: AuditorClients): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const page of paginateListEventSourceMappings({ client: lambda }, {})) {
    for (const { UUID = "", FunctionArn = "", EventSourceArn = "" } of page.EventSourceMappings ?? []) {
      found.push({ kind: "event source mapping", name: UUID, text: `${FunctionArn} ${EventSourceArn}` });
    }
  }
  return found;
}

async function roles({ iam }: AuditorClients): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const { Roles = [] } of paginateListRoles({ client: iam }, {})) {
    for (const { RoleName = "" } of Roles) {
      const exchangeTag = async () => exchangeIn((await iam.send(new ListRoleTagsCommand({ RoleName }))).Tags);
      found.push({ ...named("role", RoleName), exchangeTag });
    }
  }
  return found;
}

async function policies({ iam }: AuditorClients): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const { Policies = [] } of paginateListPolicies({ client: iam }, { Scope: "Local" })) {
    for (const { PolicyName = "", Arn: PolicyArn } of Policies) {
      const exchangeTag = async () => exchangeIn((await iam.send(new ListPolicyTagsCommand({ PolicyArn }))).Tags);
      found.push({ ...named("policy", PolicyName), exchangeTag });
    }
  }
  return found;
}

async function logGroups({ logs }: AuditorClients): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const page of paginateDescribeLogGroups({ client: logs }, {})) {
    for (const { logGroupName = "", logGroupArn, arn } of page.logGroups ?? []) {
      const resourceArn = logGroupArn ?? arn?.replace(/:\*$/, "");
      const tags = async () => (await logs.send(new ListTagsForResourceCommand({ resourceArn }))).tags;
      found.push({ ...named("log group", logGroupName), exchangeTag: async () => (await tags())?.["exchangeId"] });
    }
  }
  return found;
}

async function subscriptions({ sns }: AuditorClients): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const { Subscriptions = [] } of paginateListSubscriptions({ client: sns }, {})) {
    for (const { SubscriptionArn = "", Endpoint = "" } of Subscriptions) {
      found.push({ kind: "subscription", name: SubscriptionArn, text: `${SubscriptionArn} ${Endpoint}` });
    }
  }
  return found;
}

async function runningExecutions({ sfn }: AuditorClients): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const { stateMachines = [] } of paginateListStateMachines({ client: sfn }, {})) {
    for (const { stateMachineArn } of stateMachines) {
      const running = { stateMachineArn, statusFilter: "RUNNING" } as const;
      for await (const { executions = [] } of paginateListExecutions({ client: sfn }, running)) {
        found.push(...executions.map(({ executionArn = "" }) => named("running execution", executionArn)));
      }
    }
  }
  return found;
}
