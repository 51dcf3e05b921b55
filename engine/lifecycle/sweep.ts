import { DeleteLogGroupCommand, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  GetRoleCommand,
  paginateListRolePolicies,
} from "@aws-sdk/client-iam";
import {
  DeleteEventSourceMappingCommand,
  DeleteFunctionCommand,
  GetEventSourceMappingCommand,
  GetFunctionCommand,
} from "@aws-sdk/client-lambda";
import { paginateGetResources } from "@aws-sdk/client-resource-groups-tagging-api";
import { UnsubscribeCommand } from "@aws-sdk/client-sns";
import { DeleteQueueCommand, GetQueueAttributesCommand, GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import { PermanentError } from "../../contracts/errors.ts";
import type { AwsClients } from "../aws/clients.ts";
import { ifFound } from "../aws/not-found.ts";
import type { ExchangeRecord } from "../exchange/record.ts";
import { listByName } from "./list-by-name.ts";

type SweptServices = Pick<AwsClients, "iam" | "lambda" | "logs" | "sns" | "sqs" | "tagging">;

/**
 * Finds what an exchange left behind although its stack is gone: a resource whose creation was never written to the
 * stack's state is unknown to Pulumi. Looks by tag, for each thing that the stack's outputs named, and, since AWS finds
 * neither roles nor all others by their tags, among those that are named like the exchange's.
 */
export class Sweeper {
  readonly #aws: SweptServices;

  constructor(aws: SweptServices) {
    this.#aws = aws;
  }

  /** ARNs of what is still there. */
  async find(record: ExchangeRecord): Promise<string[]> {
    const found = await Promise.all([this.#tagged(record.id), this.#named(record), listByName(record, this.#aws)]);
    return [...new Set(found.flat())].sort();
  }

  /** Removes what {@link find} found; what is gone meanwhile is fine. */
  async remove(arns: readonly string[]): Promise<void> {
    for (const arn of [...arns].sort(mappingsFirst)) await ifFound(this.#remover(arn));
  }

  async #tagged(exchangeId: string): Promise<string[]> {
    const filter = { TagFilters: [{ Key: "exchangeId", Values: [exchangeId] }] };
    const arns: string[] = [];
    for await (const page of paginateGetResources({ client: this.#aws.tagging }, filter)) {
      arns.push(...(page.ResourceTagMappingList ?? []).flatMap(({ ResourceARN: arn }) => arn ?? []));
    }
    const alive = await Promise.all(arns.map(async (arn) => ((await this.#exists(arn)) ? [arn] : [])));
    return alive.flat();
  }

  async #named({ facts: { outputs } }: ExchangeRecord): Promise<string[]> {
    if (!outputs) return [];
    const arns = Object.values(outputs.queues).map(({ arn }) => arn);
    for (const processor of Object.values(outputs.processors)) {
      const [, partition, , region, account] = processor.functionArn.split(":");
      const inRegion = (service: string, rest: string) => ["arn", partition, service, region, account, rest].join(":");
      arns.push(
        inRegion("lambda", `event-source-mapping:${processor.mappingUuid}`),
        processor.functionArn,
        processor.roleArn,
        inRegion("logs", `log-group:${processor.logGroup}`),
      );
    }
    const alive = await Promise.all(arns.map(async (arn) => ((await this.#exists(arn)) ? [arn] : [])));
    return alive.flat();
  }

  /** The tag index may lag behind: what it names is looked at before it is believed. */
  #exists(arn: string): Promise<boolean> {
    const { service, kind, name } = parse(arn);
    switch (`${service}:${kind}`) {
      case "sqs:":
        return exists(async () => {
          const QueueUrl = await this.#queueUrl(name);
          await this.#aws.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
        });
      case "lambda:function":
        return exists(() => this.#aws.lambda.send(new GetFunctionCommand({ FunctionName: name })));
      case "lambda:event-source-mapping":
        return exists(() => this.#aws.lambda.send(new GetEventSourceMappingCommand({ UUID: name })));
      case "iam:role":
        return exists(() => this.#aws.iam.send(new GetRoleCommand({ RoleName: name })));
      case "logs:log-group":
        return this.#logGroupExists(name);
      default:
        return Promise.resolve(true);
    }
  }

  #remover(arn: string): () => Promise<unknown> {
    const { service, kind, name } = parse(arn);
    switch (`${service}:${kind}`) {
      case "sqs:":
        return async () => this.#aws.sqs.send(new DeleteQueueCommand({ QueueUrl: await this.#queueUrl(name) }));
      case "lambda:function":
        return () => this.#aws.lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
      case "lambda:event-source-mapping":
        return () => this.#aws.lambda.send(new DeleteEventSourceMappingCommand({ UUID: name }));
      case "iam:role":
        return () => this.#removeRole(name);
      case "logs:log-group":
        return () => this.#aws.logs.send(new DeleteLogGroupCommand({ logGroupName: name }));
      case "sns:":
        return () => this.#aws.sns.send(new UnsubscribeCommand({ SubscriptionArn: arn }));
      default:
        return () => {
          const message = `${arn} was left behind and is of no kind that we make: remove it by hand`;
          return Promise.reject(new PermanentError("UNKNOWN_LEFTOVER", message));
        };
    }
  }

  async #queueUrl(name: string): Promise<string> {
    const { QueueUrl: url } = await this.#aws.sqs.send(new GetQueueUrlCommand({ QueueName: name }));
    return url ?? "";
  }

  async #logGroupExists(name: string): Promise<boolean> {
    const { logGroups } = await this.#aws.logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
    return (logGroups ?? []).some((group) => group.logGroupName === name);
  }

  async #removeRole(name: string): Promise<void> {
    for await (const page of paginateListRolePolicies({ client: this.#aws.iam }, { RoleName: name })) {
      for (const PolicyName of page.PolicyNames ?? []) {
        await this.#aws.iam.send(new DeleteRolePolicyCommand({ RoleName: name, PolicyName }));
      }
    }
    await this.#aws.iam.send(new DeleteRoleCommand({ RoleName: name }));
  }
}

/** `kind` is empty where a service's ARNs have none. */
function parse(arn: string): { service: string; kind: string; name: string } {
  const [, , service = "", , , ...rest] = arn.split(":");
  const resource = rest.join(":");
  const split = /^(function|event-source-mapping|log-group|role)[:/](.+?)(?::\*)?$/.exec(resource);
  if (!split) return { service, kind: "", name: resource };
  const [, kind = "", name = ""] = split;
  return { service, kind, name: kind === "role" ? (name.split("/").at(-1) ?? name) : name };
}

/** A mapping polls on without its function; it goes first. */
function mappingsFirst(one: string, other: string): number {
  return Number(other.includes(":event-source-mapping:")) - Number(one.includes(":event-source-mapping:"));
}

async function exists(look: () => Promise<unknown>): Promise<boolean> {
  return (await ifFound(async () => (await look(), true))) ?? false;
}
