import { ListTagsForResourceCommand, paginateDescribeLogGroups } from "@aws-sdk/client-cloudwatch-logs";
import { ListRoleTagsCommand, paginateListRoles } from "@aws-sdk/client-iam";
import { ListTagsCommand, paginateListEventSourceMappings } from "@aws-sdk/client-lambda";
import { lambdaName, roleName } from "../../contracts/names.ts";
import { planOf } from "../../contracts/plan.ts";
import type { AwsClients } from "../aws/clients.ts";
import { ifFound } from "../aws/not-found.ts";
import type { ExchangeRecord } from "../exchange/record.ts";

type Listing = Pick<AwsClients, "iam" | "lambda" | "logs">;
type Names = ReturnType<typeof namesOf>;

/**
 * ARNs of roles, mappings and log groups that are named like those of an exchange and carry its tag: another exchange
 * into the same case and batch has the same names but for their random ends.
 */
export async function listByName(record: ExchangeRecord, aws: Listing): Promise<string[]> {
  const names = namesOf(record);
  const found = await Promise.all([
    roles(names, record.id, aws),
    mappings(names, record.id, aws),
    logGroups(names, record.id, aws),
  ]);
  return found.flat();
}

function namesOf({ context: { caseId, batchId }, request }: ExchangeRecord) {
  const { processors } = planOf(request);
  return {
    roles: processors.map((kind) => `${roleName(kind, caseId, batchId)}-`),
    functions: processors.map((kind) => `${lambdaName(kind, caseId, batchId)}-`),
  };
}

async function roles(names: Names, exchangeId: string, { iam }: Listing): Promise<string[]> {
  const found: string[] = [];
  for await (const { Roles = [] } of paginateListRoles({ client: iam }, {})) {
    for (const { RoleName = "", Arn = "" } of Roles) {
      if (!names.roles.some((name) => RoleName.startsWith(name))) continue;
      const tags = (await ifFound(() => iam.send(new ListRoleTagsCommand({ RoleName }))))?.Tags ?? [];
      if (tags.some(({ Key, Value }) => Key === "exchangeId" && Value === exchangeId)) found.push(Arn);
    }
  }
  return found;
}

/** A mapping has no name: it is told by its function, which may be gone already. */
async function mappings(names: Names, exchangeId: string, { lambda }: Listing): Promise<string[]> {
  const found: string[] = [];
  for await (const { EventSourceMappings = [] } of paginateListEventSourceMappings({ client: lambda }, {})) {
    for (const { UUID = "", FunctionArn = "" } of EventSourceMappings) {
      const [, partition, , region, account, , functionName = ""] = FunctionArn.split(":");
      if (!names.functions.some((name) => functionName.startsWith(name))) continue;
      const arn = ["arn", partition, "lambda", region, account, "event-source-mapping", UUID].join(":");
      const tags = (await ifFound(() => lambda.send(new ListTagsCommand({ Resource: arn }))))?.Tags;
      if (tags?.["exchangeId"] === exchangeId) found.push(arn);
    }
  }
  return found;
}

async function logGroups(names: Names, exchangeId: string, { logs }: Listing): Promise<string[]> {
  const found: string[] = [];
  for (const name of names.functions) {
    const asking = { logGroupNamePrefix: `/aws/lambda/${name}` };
    for await (const page of paginateDescribeLogGroups({ client: logs }, asking)) {
      for (const { arn = "" } of page.logGroups ?? []) {
        // The ARN that is told ends in `:*`, the one that is asked for does not.
        const resourceArn = arn.replace(/:\*$/, "");
        const tags = (await ifFound(() => logs.send(new ListTagsForResourceCommand({ resourceArn }))))?.tags;
        if (tags?.["exchangeId"] === exchangeId) found.push(resourceArn);
      }
    }
  }
  return found;
}
