import type { QueueAttributeName } from "@aws-sdk/client-sqs";
import type { Context } from "../context.ts";
import { define } from "../resource.ts";
import { deletedRecently, ifExists, propagating } from "../retrying.ts";
import { flag, json, number, policy, text } from "../schema.ts";
import { looseEqual } from "../equality.ts";

/** Which attribute of SQS is which property. */
const attributeNames = {
  contentBasedDeduplication: "ContentBasedDeduplication",
  deduplicationScope: "DeduplicationScope",
  delaySeconds: "DelaySeconds",
  fifoQueue: "FifoQueue",
  fifoThroughputLimit: "FifoThroughputLimit",
  kmsDataKeyReusePeriodSeconds: "KmsDataKeyReusePeriodSeconds",
  kmsMasterKeyId: "KmsMasterKeyId",
  maxMessageSize: "MaximumMessageSize",
  messageRetentionSeconds: "MessageRetentionPeriod",
  policy: "Policy",
  receiveWaitTimeSeconds: "ReceiveMessageWaitTimeSeconds",
  redriveAllowPolicy: "RedriveAllowPolicy",
  redrivePolicy: "RedrivePolicy",
  sqsManagedSseEnabled: "SqsManagedSseEnabled",
  visibilityTimeoutSeconds: "VisibilityTimeout",
} as const satisfies Record<string, QueueAttributeName>;
type QueueProperty = keyof typeof attributeNames;

/** AWS says nothing about these when they have their standard value. */
const cleared = { policy: "", redrivePolicy: "", redriveAllowPolicy: "", kmsMasterKeyId: "" } as const;

export const queue = define({
  token: "aws:sqs/queue:Queue",
  properties: {
    arn: text({ role: "output" }),
    url: text({ role: "output" }),
    name: text({ replaces: true }),
    contentBasedDeduplication: flag({ default: false }),
    deduplicationScope: text({ computed: true }),
    delaySeconds: number({ default: 0 }),
    fifoQueue: flag({ default: false, replaces: true }),
    fifoThroughputLimit: text({ computed: true }),
    kmsDataKeyReusePeriodSeconds: number({ computed: true }),
    kmsMasterKeyId: text(),
    maxMessageSize: number({ default: 262_144 }),
    messageRetentionSeconds: number({ default: 345_600 }),
    policy: policy({ computed: true }),
    receiveWaitTimeSeconds: number({ default: 0 }),
    redriveAllowPolicy: json({ computed: true }),
    redrivePolicy: json({ computed: true }),
    sqsManagedSseEnabled: flag({ computed: true }),
    visibilityTimeoutSeconds: number({ default: 30 }),
  },
  unsupported: ["namePrefix"],
  naming: {
    property: "name",
    maxLength: 80,
    ending: (inputs) => (inputs["fifoQueue"] === true ? ".fifo" : ""),
  },
  validate: ({ name, fifoQueue }) =>
    name !== undefined && name.endsWith(".fifo") !== (fifoQueue ?? false)
      ? [{ property: "name", reason: `"${name}" must end with ".fifo" when fifoQueue is true, and only then` }]
      : [],

  async create(context, inputs, tags) {
    const sqs = await context.aws.sqs();
    const { QueueUrl } = await context.retry([...deletedRecently, ...propagating], () =>
      sqs.createQueue({ QueueName: inputs.name, Attributes: attributesOf(inputs), tags }),
    );
    return QueueUrl ?? "";
  },
  async read(context, id) {
    const sqs = await context.aws.sqs();
    const [found, tags] = await Promise.all([
      ifExists(() => sqs.getQueueAttributes({ QueueUrl: id, AttributeNames: ["All"] })),
      ifExists(() => sqs.listQueueTags({ QueueUrl: id })),
    ]);
    if (found?.Attributes === undefined) return undefined;
    const attributes: Partial<Record<string, string>> = found.Attributes;
    const numberOf = (name: QueueProperty) => Number(attributes[attributeNames[name]] ?? 0);
    const truthOf = (name: QueueProperty) => attributes[attributeNames[name]] === "true";
    const textOf = (name: QueueProperty) => attributes[attributeNames[name]] ?? "";
    return {
      url: id,
      arn: attributes["QueueArn"],
      name: id.split("/").at(-1),
      contentBasedDeduplication: truthOf("contentBasedDeduplication"),
      deduplicationScope: textOf("deduplicationScope"),
      delaySeconds: numberOf("delaySeconds"),
      fifoQueue: truthOf("fifoQueue"),
      fifoThroughputLimit: textOf("fifoThroughputLimit"),
      kmsDataKeyReusePeriodSeconds: numberOf("kmsDataKeyReusePeriodSeconds") || 300,
      kmsMasterKeyId: textOf("kmsMasterKeyId"),
      maxMessageSize: numberOf("maxMessageSize"),
      messageRetentionSeconds: numberOf("messageRetentionSeconds"),
      policy: textOf("policy"),
      receiveWaitTimeSeconds: numberOf("receiveWaitTimeSeconds"),
      redriveAllowPolicy: textOf("redriveAllowPolicy"),
      redrivePolicy: textOf("redrivePolicy"),
      sqsManagedSseEnabled: truthOf("sqsManagedSseEnabled"),
      visibilityTimeoutSeconds: numberOf("visibilityTimeoutSeconds"),
      tagsAll: tags?.Tags ?? {},
    };
  },
  async update(context, id, { inputs, changed }) {
    const wanted = Object.fromEntries(Object.keys(attributeNames).map((name) => [name, inputs[name as QueueProperty]]));
    const touched = Object.entries({ ...cleared, ...definedOf(wanted) }).filter(([name]) =>
      changed.has(name as QueueProperty),
    );
    const sqs = await context.aws.sqs();
    await context.retry(propagating, () =>
      sqs.setQueueAttributes({ QueueUrl: id, Attributes: attributesOf(Object.fromEntries(touched)) }),
    );
  },
  async delete(context, id) {
    const sqs = await context.aws.sqs();
    await sqs.deleteQueue({ QueueUrl: id });
  },
  tagging: {
    add: async (context, id, tags) => (await context.aws.sqs()).tagQueue({ QueueUrl: id, Tags: tags }),
    remove: async (context, id, keys) => (await context.aws.sqs()).untagQueue({ QueueUrl: id, TagKeys: keys }),
  },
});

function definedOf(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** SQS takes all attributes as text, and refuses FIFO attributes on other queues even when they are false. */
function attributesOf(values: { [K in QueueProperty]?: string | number | boolean | undefined }): Record<
  string,
  string
> {
  const entries = Object.entries(attributeNames).flatMap(([name, attribute]): [string, string][] => {
    const value = values[name as QueueProperty];
    if (value === undefined) return [];
    if (value === false && (name === "fifoQueue" || name === "contentBasedDeduplication")) return [];
    return [[attribute, String(value)]];
  });
  return Object.fromEntries(entries);
}

/** A resource that is one attribute of a queue; its id is the queue's URL. */
function attributeResource(context: Context, id: string, attribute: "Policy" | "RedriveAllowPolicy") {
  return {
    set: async (value: string) => {
      const sqs = await context.aws.sqs();
      await context.retry(propagating, () =>
        sqs.setQueueAttributes({ QueueUrl: id, Attributes: { [attribute]: value } }),
      );
    },
    get: async () => {
      const sqs = await context.aws.sqs();
      const found = await ifExists(() => sqs.getQueueAttributes({ QueueUrl: id, AttributeNames: [attribute] }));
      const value = found?.Attributes?.[attribute];
      return looseEqual(value, "") ? undefined : value;
    },
  };
}

export const queuePolicy = define({
  token: "aws:sqs/queuePolicy:QueuePolicy",
  properties: {
    policy: policy({ role: "required" }),
    queueUrl: text({ role: "required", replaces: true }),
  },
  unsupported: [],
  deleteBeforeReplace: true,
  async create(context, inputs) {
    await attributeResource(context, inputs.queueUrl, "Policy").set(inputs.policy);
    return inputs.queueUrl;
  },
  async read(context, id) {
    const found = await attributeResource(context, id, "Policy").get();
    return found === undefined ? undefined : { policy: found, queueUrl: id };
  },
  async update(context, id, { inputs }) {
    await attributeResource(context, id, "Policy").set(inputs.policy);
  },
  async delete(context, id) {
    await attributeResource(context, id, "Policy").set("");
  },
});

export const redriveAllowPolicy = define({
  token: "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
  properties: {
    queueUrl: text({ role: "required", replaces: true }),
    redriveAllowPolicy: json({ role: "required" }),
  },
  unsupported: [],
  deleteBeforeReplace: true,
  async create(context, inputs) {
    await attributeResource(context, inputs.queueUrl, "RedriveAllowPolicy").set(inputs.redriveAllowPolicy);
    return inputs.queueUrl;
  },
  async read(context, id) {
    const found = await attributeResource(context, id, "RedriveAllowPolicy").get();
    return found === undefined ? undefined : { redriveAllowPolicy: found, queueUrl: id };
  },
  async update(context, id, { inputs }) {
    await attributeResource(context, id, "RedriveAllowPolicy").set(inputs.redriveAllowPolicy);
  },
  async delete(context, id) {
    await attributeResource(context, id, "RedriveAllowPolicy").set("");
  },
});
