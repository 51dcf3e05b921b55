import { z } from "zod";
import { define } from "../resource.ts";
import { ifExists, propagating } from "../retrying.ts";
import { flag, json, number, policy, text } from "../schema.ts";
import { tagList, tagMap } from "../tags.ts";

/** Which attribute of SNS is which property of a topic. */
const topicAttributes = {
  contentBasedDeduplication: "ContentBasedDeduplication",
  deliveryPolicy: "DeliveryPolicy",
  displayName: "DisplayName",
  fifoTopic: "FifoTopic",
  kmsMasterKeyId: "KmsMasterKeyId",
  policy: "Policy",
  signatureVersion: "SignatureVersion",
  tracingConfig: "TracingConfig",
} as const;
type TopicProperty = keyof typeof topicAttributes;

export const topic = define({
  token: "aws:sns/topic:Topic",
  properties: {
    arn: text({ role: "output" }),
    beginningArchiveTime: text({ role: "output" }),
    owner: text({ role: "output" }),
    contentBasedDeduplication: flag({ default: false }),
    deliveryPolicy: json(),
    displayName: text(),
    fifoTopic: flag({ default: false, replaces: true }),
    kmsMasterKeyId: text(),
    name: text({ replaces: true }),
    policy: policy({ computed: true }),
    signatureVersion: number({ computed: true }),
    tracingConfig: text({ computed: true }),
  },
  unsupported: [
    "applicationFailureFeedbackRoleArn",
    "applicationSuccessFeedbackRoleArn",
    "applicationSuccessFeedbackSampleRate",
    "archivePolicy",
    "fifoThroughputScope",
    "firehoseFailureFeedbackRoleArn",
    "firehoseSuccessFeedbackRoleArn",
    "firehoseSuccessFeedbackSampleRate",
    "httpFailureFeedbackRoleArn",
    "httpSuccessFeedbackRoleArn",
    "httpSuccessFeedbackSampleRate",
    "lambdaFailureFeedbackRoleArn",
    "lambdaSuccessFeedbackRoleArn",
    "lambdaSuccessFeedbackSampleRate",
    "namePrefix",
    "sqsFailureFeedbackRoleArn",
    "sqsSuccessFeedbackRoleArn",
    "sqsSuccessFeedbackSampleRate",
  ],
  naming: { property: "name", maxLength: 256, ending: (inputs) => (inputs["fifoTopic"] === true ? ".fifo" : "") },

  async create(context, inputs, tags) {
    const sns = await context.aws.sns();
    const attributes = Object.entries(topicAttributes).flatMap(([name, attribute]): [string, string][] => {
      const value = inputs[name as TopicProperty];
      return value === undefined || value === false ? [] : [[attribute, String(value)]];
    });
    const { TopicArn } = await context.retry(propagating, () =>
      sns.createTopic({ Name: inputs.name, Attributes: Object.fromEntries(attributes), Tags: tagList(tags) }),
    );
    return TopicArn ?? "";
  },
  async read(context, id) {
    const sns = await context.aws.sns();
    const [found, tags] = await Promise.all([
      ifExists(() => sns.getTopicAttributes({ TopicArn: id })),
      ifExists(() => sns.listTagsForResource({ ResourceArn: id })),
    ]);
    if (found?.Attributes === undefined) return undefined;
    const attributes: Partial<Record<string, string>> = found.Attributes;
    return {
      arn: id,
      owner: attributes["Owner"],
      beginningArchiveTime: attributes["BeginningArchiveTime"],
      contentBasedDeduplication: attributes["ContentBasedDeduplication"] === "true",
      deliveryPolicy: attributes["DeliveryPolicy"],
      displayName: attributes["DisplayName"],
      fifoTopic: attributes["FifoTopic"] === "true",
      kmsMasterKeyId: attributes["KmsMasterKeyId"],
      name: id.split(":").at(-1),
      policy: attributes["Policy"],
      signatureVersion: Number(attributes["SignatureVersion"] ?? 0),
      tracingConfig: attributes["TracingConfig"],
      tagsAll: tagMap(tags?.Tags),
    };
  },
  async update(context, id, { inputs, changed }) {
    const sns = await context.aws.sns();
    for (const [name, AttributeName] of Object.entries(topicAttributes)) {
      if (!changed.has(name as TopicProperty)) continue;
      const AttributeValue = String(inputs[name as TopicProperty] ?? "");
      await context.retry(propagating, () => sns.setTopicAttributes({ TopicArn: id, AttributeName, AttributeValue }));
    }
  },
  async delete(context, id) {
    const sns = await context.aws.sns();
    await sns.deleteTopic({ TopicArn: id });
  },
  tagging: {
    add: async (context, id, tags) => (await context.aws.sns()).tagResource({ ResourceArn: id, Tags: tagList(tags) }),
    remove: async (context, id, TagKeys) => (await context.aws.sns()).untagResource({ ResourceArn: id, TagKeys }),
  },
});

export const topicPolicy = define({
  token: "aws:sns/topicPolicy:TopicPolicy",
  properties: {
    arn: text({ role: "required", replaces: true }),
    owner: text({ role: "output" }),
    policy: policy({ role: "required" }),
  },
  unsupported: [],
  deleteBeforeReplace: true,

  async create(context, inputs) {
    const sns = await context.aws.sns();
    await context.retry(propagating, () =>
      sns.setTopicAttributes({ TopicArn: inputs.arn, AttributeName: "Policy", AttributeValue: inputs.policy }),
    );
    return inputs.arn;
  },
  async read(context, id) {
    const sns = await context.aws.sns();
    const found = await ifExists(() => sns.getTopicAttributes({ TopicArn: id }));
    const attributes: Partial<Record<string, string>> = found?.Attributes ?? {};
    if (!attributes["Policy"]) return undefined;
    return { arn: id, owner: attributes["Owner"], policy: attributes["Policy"] };
  },
  async update(context, id, { inputs }) {
    const sns = await context.aws.sns();
    await context.retry(propagating, () =>
      sns.setTopicAttributes({ TopicArn: id, AttributeName: "Policy", AttributeValue: inputs.policy }),
    );
  },
  /** A topic is never without a policy: what AWS gives to a new one comes back. */
  async delete(context, id, { owner = "" }) {
    const sns = await context.aws.sns();
    const AttributeValue = standardTopicPolicy(id, owner);
    await sns.setTopicAttributes({ TopicArn: id, AttributeName: "Policy", AttributeValue });
  },
});

function standardTopicPolicy(topicArn: string, owner: string): string {
  const actions = ["GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic"];
  return JSON.stringify({
    Version: "2008-10-17",
    Id: "__default_policy_ID",
    Statement: [
      {
        Sid: "__default_statement_ID",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: [...actions, "Subscribe", "ListSubscriptionsByTopic", "Publish"].map((action) => `SNS:${action}`),
        Resource: topicArn,
        Condition: { StringEquals: { "AWS:SourceOwner": owner } },
      },
    ],
  });
}

/** What can be changed of a subscription, by its attribute's name. */
const subscriptionAttributes = {
  deliveryPolicy: "DeliveryPolicy",
  filterPolicyScope: "FilterPolicyScope",
  filterPolicy: "FilterPolicy",
  rawMessageDelivery: "RawMessageDelivery",
  redrivePolicy: "RedrivePolicy",
} as const;
type SubscriptionProperty = keyof typeof subscriptionAttributes;

const attributesOfSubscription = z.record(z.string(), z.string());

export const topicSubscription = define({
  token: "aws:sns/topicSubscription:TopicSubscription",
  properties: {
    arn: text({ role: "output" }),
    confirmationWasAuthenticated: flag({ role: "output" }),
    ownerId: text({ role: "output" }),
    pendingConfirmation: flag({ role: "output" }),
    confirmationTimeoutInMinutes: number({ default: 1, unread: true }),
    deliveryPolicy: json(),
    endpoint: text({ role: "required", replaces: true }),
    endpointAutoConfirms: flag({ default: false, unread: true }),
    filterPolicy: json(),
    filterPolicyScope: text({ computed: true }),
    protocol: text({ role: "required", replaces: true }),
    rawMessageDelivery: flag({ default: false }),
    redrivePolicy: json(),
    topic: text({ role: "required", replaces: true }),
  },
  unsupported: ["replayPolicy", "subscriptionRoleArn"],
  validate: ({ protocol }) =>
    ["sqs", "lambda"].includes(protocol)
      ? []
      : [
          {
            property: "protocol",
            reason: `"${protocol}" is not supported by the local provider: use "sqs" or "lambda"`,
          },
        ],

  async create(context, inputs) {
    const sns = await context.aws.sns();
    const Attributes = Object.fromEntries(
      Object.entries(subscriptionAttributes).flatMap(([name, attribute]): [string, string][] => {
        const value = inputs[name as SubscriptionProperty];
        return value === undefined || value === "" ? [] : [[attribute, String(value)]];
      }),
    );
    const { SubscriptionArn } = await context.retry(propagating, () =>
      sns.subscribe({
        TopicArn: inputs.topic,
        Protocol: inputs.protocol,
        Endpoint: inputs.endpoint,
        Attributes,
        ReturnSubscriptionArn: true,
      }),
    );
    return SubscriptionArn ?? "";
  },
  async read(context, id) {
    const sns = await context.aws.sns();
    const found = await ifExists(() => sns.getSubscriptionAttributes({ SubscriptionArn: id }));
    if (found === undefined) return undefined;
    const attributes: Partial<Record<string, string>> = attributesOfSubscription.parse(found.Attributes ?? {});
    return {
      arn: id,
      confirmationWasAuthenticated: attributes["ConfirmationWasAuthenticated"] === "true",
      ownerId: attributes["Owner"],
      pendingConfirmation: attributes["PendingConfirmation"] === "true",
      deliveryPolicy: attributes["DeliveryPolicy"],
      endpoint: attributes["Endpoint"] ?? "",
      filterPolicy: attributes["FilterPolicy"],
      filterPolicyScope: attributes["FilterPolicyScope"],
      protocol: attributes["Protocol"] ?? "",
      rawMessageDelivery: attributes["RawMessageDelivery"] === "true",
      redrivePolicy: attributes["RedrivePolicy"],
      topic: attributes["TopicArn"] ?? "",
    };
  },
  async update(context, id, { inputs, changed }) {
    const sns = await context.aws.sns();
    for (const [name, AttributeName] of Object.entries(subscriptionAttributes)) {
      if (!changed.has(name as SubscriptionProperty)) continue;
      const AttributeValue = String(inputs[name as SubscriptionProperty] ?? (name === "filterPolicy" ? "{}" : ""));
      await sns.setSubscriptionAttributes({ SubscriptionArn: id, AttributeName, AttributeValue });
    }
  },
  async delete(context, id) {
    const sns = await context.aws.sns();
    await sns.unsubscribe({ SubscriptionArn: id });
  },
});
