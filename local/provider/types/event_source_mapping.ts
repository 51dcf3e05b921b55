import type {
  EventSourceMappingConfiguration,
  EventSourcePosition,
  FunctionResponseType,
  Lambda,
} from "@aws-sdk/client-lambda";
import type { Context } from "../context.ts";
import { define } from "../resource.ts";
import { ifExists, inUse, propagating } from "../retrying.ts";
import { flag, number, object, objects, text, textSet, type Values } from "../schema.ts";

const properties = {
  arn: text({ role: "output" }),
  functionArn: text({ role: "output" }),
  lastModified: text({ role: "output", volatile: true }),
  lastProcessingResult: text({ role: "output", volatile: true }),
  state: text({ role: "output", volatile: true }),
  stateTransitionReason: text({ role: "output", volatile: true }),
  uuid: text({ role: "output" }),
  batchSize: number({ computed: true }),
  bisectBatchOnFunctionError: flag(),
  enabled: flag({ default: true }),
  eventSourceArn: text({ replaces: true }),
  filterCriteria: object({ filters: objects({ pattern: text() }) }),
  functionName: text({ role: "required" }),
  functionResponseTypes: textSet(),
  maximumBatchingWindowInSeconds: number(),
  maximumRecordAgeInSeconds: number({ computed: true }),
  maximumRetryAttempts: number({ computed: true }),
  parallelizationFactor: number({ computed: true }),
  scalingConfig: object({ maximumConcurrency: number() }),
  startingPosition: text({ replaces: true }),
  tumblingWindowInSeconds: number(),
};
type MappingInputs = Values<typeof properties>;

export const eventSourceMapping = define({
  token: "aws:lambda/eventSourceMapping:EventSourceMapping",
  properties,
  unsupported: [
    "amazonManagedKafkaEventSourceConfig",
    "destinationConfig",
    "documentDbEventSourceConfig",
    "kmsKeyArn",
    "metricsConfig",
    "provisionedPollerConfig",
    "queues",
    "selfManagedEventSource",
    "selfManagedKafkaEventSourceConfig",
    "sourceAccessConfigurations",
    "startingPositionTimestamp",
    "topics",
    "useResourceTimeoutForPropagation",
  ],
  validate: ({ eventSourceArn }) =>
    eventSourceArn === undefined
      ? [{ property: "eventSourceArn", reason: "must be given: the local provider knows no other event source" }]
      : [],

  async create(context, inputs, tags) {
    const lambda = await context.aws.lambda();
    const made = await context.retry([...propagating, ...inUse], () =>
      lambda.createEventSourceMapping({
        ...settingsOf(inputs),
        EventSourceArn: inputs.eventSourceArn,
        StartingPosition: inputs.startingPosition as EventSourcePosition | undefined,
        Tags: tags,
      }),
    );
    return made.UUID ?? "";
  },
  async settle(context, id, inputs) {
    await becomeSettled(context, await context.aws.lambda(), id, inputs.enabled === false ? "Disabled" : "Enabled");
  },
  async read(context, id, known) {
    const lambda = await context.aws.lambda();
    const found = await ifExists(() => lambda.getEventSourceMapping({ UUID: id }));
    if (found === undefined || found.State === "Deleting") return undefined;
    const arn = found.EventSourceMappingArn;
    const tags = arn === undefined ? undefined : await ifExists(() => lambda.listTags({ Resource: arn }));
    return {
      ...stateOf(found),
      functionName: sameFunction(known.functionName, found.FunctionArn),
      tagsAll: tags?.Tags ?? {},
    };
  },
  async update(context, id, { inputs }) {
    const lambda = await context.aws.lambda();
    await context.retry([...propagating, ...inUse], () =>
      lambda.updateEventSourceMapping({ ...settingsOf(inputs, true), UUID: id }),
    );
  },
  async delete(context, id) {
    const lambda = await context.aws.lambda();
    await context.retry(inUse, () => ifExists(() => lambda.deleteEventSourceMapping({ UUID: id })));
    await context.until(`the event source mapping ${id} to be gone`, async () => {
      return (await ifExists(() => lambda.getEventSourceMapping({ UUID: id }))) === undefined ? true : undefined;
    });
  },
  tagging: {
    add: async (context, _id, Tags, { arn }) => (await context.aws.lambda()).tagResource({ Resource: arn, Tags }),
    remove: async (context, _id, TagKeys, { arn }) =>
      (await context.aws.lambda()).untagResource({ Resource: arn, TagKeys }),
  },
});

/** @param reset whether what is absent must be named to be taken back, as in an update */
function settingsOf(inputs: MappingInputs, reset = false) {
  const cleared = <T>(value: T | undefined, empty: T) => (value === undefined && reset ? empty : value);
  const concurrency = inputs.scalingConfig?.maximumConcurrency;
  const filters = inputs.filterCriteria?.filters?.map(({ pattern }) => ({ Pattern: pattern }));
  return {
    FunctionName: inputs.functionName,
    Enabled: inputs.enabled,
    BatchSize: inputs.batchSize,
    BisectBatchOnFunctionError: inputs.bisectBatchOnFunctionError,
    FilterCriteria: cleared(filters && { Filters: filters }, { Filters: [] }),
    FunctionResponseTypes: cleared(inputs.functionResponseTypes as FunctionResponseType[] | undefined, []),
    MaximumBatchingWindowInSeconds: cleared(inputs.maximumBatchingWindowInSeconds, 0),
    MaximumRecordAgeInSeconds: inputs.maximumRecordAgeInSeconds,
    MaximumRetryAttempts: inputs.maximumRetryAttempts,
    ParallelizationFactor: inputs.parallelizationFactor,
    ScalingConfig: cleared(concurrency === undefined ? undefined : { MaximumConcurrency: concurrency }, {}),
    TumblingWindowInSeconds: inputs.tumblingWindowInSeconds,
  };
}

function stateOf(of: EventSourceMappingConfiguration) {
  const filters = of.FilterCriteria?.Filters ?? [];
  const concurrency = of.ScalingConfig?.MaximumConcurrency;
  return {
    arn: of.EventSourceMappingArn,
    functionArn: of.FunctionArn,
    lastModified: of.LastModified?.toISOString(),
    lastProcessingResult: of.LastProcessingResult,
    state: of.State,
    stateTransitionReason: of.StateTransitionReason,
    uuid: of.UUID,
    batchSize: of.BatchSize,
    bisectBatchOnFunctionError: of.BisectBatchOnFunctionError,
    enabled: of.State !== "Disabled" && of.State !== "Disabling",
    eventSourceArn: of.EventSourceArn,
    filterCriteria:
      filters.length === 0 ? undefined : { filters: filters.map(({ Pattern }) => ({ pattern: Pattern })) },
    functionResponseTypes: of.FunctionResponseTypes,
    maximumBatchingWindowInSeconds: of.MaximumBatchingWindowInSeconds,
    maximumRecordAgeInSeconds: of.MaximumRecordAgeInSeconds,
    maximumRetryAttempts: of.MaximumRetryAttempts,
    parallelizationFactor: of.ParallelizationFactor,
    scalingConfig: concurrency === undefined ? undefined : { maximumConcurrency: concurrency },
    startingPosition: of.StartingPosition,
    tumblingWindowInSeconds: of.TumblingWindowInSeconds,
  };
}

/** A mapping may be given a function's name or ARN; AWS tells the ARN. */
function sameFunction(given: string | undefined, arn: string | undefined): string | undefined {
  return given !== undefined && (given === arn || arn?.endsWith(`:function:${given}`) === true) ? given : arn;
}

/** `Disabling` is not `Disabled`: until then the mapping still takes messages. */
async function becomeSettled(context: Context, lambda: Lambda, UUID: string, wanted: string): Promise<void> {
  await context.until(`the event source mapping ${UUID} to be ${wanted}`, async () => {
    const { State } = await lambda.getEventSourceMapping({ UUID });
    return State === wanted ? true : undefined;
  });
}
