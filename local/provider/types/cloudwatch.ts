import type { LogGroupClass } from "@aws-sdk/client-cloudwatch-logs";
import type { ComparisonOperator, StandardUnit, Statistic } from "@aws-sdk/client-cloudwatch";
import { define } from "../resource.ts";
import { ifExists, inUse } from "../retrying.ts";
import { flag, number, text, textMap, textSet, type Values } from "../schema.ts";
import { tagList, tagMap } from "../tags.ts";

export const logGroup = define({
  token: "aws:cloudwatch/logGroup:LogGroup",
  properties: {
    arn: text({ role: "output" }),
    kmsKeyId: text(),
    logGroupClass: text({ computed: true, replaces: true }),
    name: text({ replaces: true }),
    retentionInDays: number({ default: 0 }),
    skipDestroy: flag({ default: false, unread: true }),
  },
  unsupported: ["deletionProtectionEnabled", "namePrefix"],
  naming: { property: "name", maxLength: 512 },

  async create(context, inputs, tags) {
    const logs = await context.aws.logs();
    const id = inputs.name ?? "";
    await context.retry(inUse, () =>
      logs.createLogGroup({
        logGroupName: id,
        kmsKeyId: inputs.kmsKeyId,
        ...(Object.keys(tags).length === 0 ? {} : { tags }),
        ...(inputs.logGroupClass === undefined ? {} : { logGroupClass: inputs.logGroupClass as LogGroupClass }),
      }),
    );
    context.created(id);
    if (inputs.retentionInDays)
      await logs.putRetentionPolicy({ logGroupName: id, retentionInDays: inputs.retentionInDays });
    return id;
  },
  async read(context, id) {
    const logs = await context.aws.logs();
    const { logGroups = [] } = await logs.describeLogGroups({ logGroupNamePrefix: id });
    const found = logGroups.find(({ logGroupName }) => logGroupName === id);
    if (found === undefined) return undefined;
    const arn = found.arn?.replace(/:\*$/, "");
    const tags = arn === undefined ? undefined : await ifExists(() => logs.listTagsForResource({ resourceArn: arn }));
    return {
      arn,
      kmsKeyId: found.kmsKeyId,
      logGroupClass: found.logGroupClass ?? "STANDARD",
      name: id,
      retentionInDays: found.retentionInDays ?? 0,
      tagsAll: tags?.tags ?? {},
    };
  },
  async update(context, id, { inputs, changed }) {
    const logs = await context.aws.logs();
    const logGroupName = id;
    if (changed.has("retentionInDays")) {
      const { retentionInDays } = inputs;
      if (retentionInDays) await logs.putRetentionPolicy({ logGroupName, retentionInDays });
      else await logs.deleteRetentionPolicy({ logGroupName });
    }
    if (changed.has("kmsKeyId")) {
      if (inputs.kmsKeyId === undefined) await logs.disassociateKmsKey({ logGroupName });
      else await logs.associateKmsKey({ logGroupName, kmsKeyId: inputs.kmsKeyId });
    }
  },
  async delete(context, id, state) {
    if (state.skipDestroy === true) return;
    const logs = await context.aws.logs();
    await context.retry(inUse, () => logs.deleteLogGroup({ logGroupName: id }));
  },
  tagging: {
    add: async (context, _id, tags, { arn }) => (await context.aws.logs()).tagResource({ resourceArn: arn, tags }),
    remove: async (context, _id, tagKeys, { arn }) =>
      (await context.aws.logs()).untagResource({ resourceArn: arn, tagKeys }),
  },
});

const alarmProperties = {
  arn: text({ role: "output" }),
  actionsEnabled: flag({ default: true }),
  alarmActions: textSet(),
  alarmDescription: text(),
  comparisonOperator: text({ role: "required" }),
  datapointsToAlarm: number(),
  dimensions: textMap(),
  evaluationPeriods: number({ role: "required" }),
  extendedStatistic: text(),
  insufficientDataActions: textSet(),
  metricName: text({ role: "required" }),
  name: text({ replaces: true }),
  namespace: text({ role: "required" }),
  okActions: textSet(),
  period: number({ role: "required" }),
  statistic: text(),
  threshold: number({ role: "required" }),
  treatMissingData: text({ default: "missing" }),
  unit: text(),
};
type AlarmInputs = Values<typeof alarmProperties>;

export const metricAlarm = define({
  token: "aws:cloudwatch/metricAlarm:MetricAlarm",
  properties: alarmProperties,
  unsupported: [
    "evaluateLowSampleCountPercentiles",
    "evaluationCriteria",
    "evaluationInterval",
    "metricQueries",
    "thresholdMetricId",
    "warmUpConfiguration",
  ],
  naming: { property: "name", maxLength: 255 },
  validate: ({ statistic, extendedStatistic }) =>
    (statistic === undefined) === (extendedStatistic === undefined)
      ? [{ property: "statistic", reason: "exactly one of statistic and extendedStatistic must be given" }]
      : [],

  async create(context, inputs, tags) {
    const cloudWatch = await context.aws.cloudWatch();
    await cloudWatch.putMetricAlarm({ ...alarmOf(inputs), Tags: tagList(tags) });
    return inputs.name ?? "";
  },
  async read(context, id) {
    const cloudWatch = await context.aws.cloudWatch();
    const { MetricAlarms = [] } = await cloudWatch.describeAlarms({ AlarmNames: [id], AlarmTypes: ["MetricAlarm"] });
    const [found] = MetricAlarms;
    if (found === undefined) return undefined;
    const arn = found.AlarmArn ?? "";
    const tags = await ifExists(() => cloudWatch.listTagsForResource({ ResourceARN: arn }));
    return {
      arn,
      actionsEnabled: found.ActionsEnabled,
      alarmActions: found.AlarmActions,
      alarmDescription: found.AlarmDescription,
      comparisonOperator: found.ComparisonOperator,
      datapointsToAlarm: found.DatapointsToAlarm,
      dimensions: Object.fromEntries((found.Dimensions ?? []).map(({ Name, Value }) => [Name ?? "", Value ?? ""])),
      evaluationPeriods: found.EvaluationPeriods,
      extendedStatistic: found.ExtendedStatistic,
      insufficientDataActions: found.InsufficientDataActions,
      metricName: found.MetricName,
      name: found.AlarmName,
      namespace: found.Namespace,
      okActions: found.OKActions,
      period: found.Period,
      statistic: found.Statistic,
      threshold: found.Threshold,
      treatMissingData: found.TreatMissingData ?? "missing",
      unit: found.Unit,
      tagsAll: tagMap(tags?.Tags),
    };
  },
  async update(context, _id, { inputs }) {
    const cloudWatch = await context.aws.cloudWatch();
    await cloudWatch.putMetricAlarm(alarmOf(inputs));
  },
  async delete(context, id) {
    const cloudWatch = await context.aws.cloudWatch();
    await cloudWatch.deleteAlarms({ AlarmNames: [id] });
  },
  tagging: {
    add: async (context, _id, tags, { arn }) =>
      (await context.aws.cloudWatch()).tagResource({ ResourceARN: arn, Tags: tagList(tags) }),
    remove: async (context, _id, TagKeys, { arn }) =>
      (await context.aws.cloudWatch()).untagResource({ ResourceARN: arn, TagKeys }),
  },
});

function alarmOf(inputs: AlarmInputs) {
  return {
    ActionsEnabled: inputs.actionsEnabled,
    AlarmActions: inputs.alarmActions,
    AlarmDescription: inputs.alarmDescription,
    AlarmName: inputs.name,
    ComparisonOperator: inputs.comparisonOperator as ComparisonOperator,
    DatapointsToAlarm: inputs.datapointsToAlarm,
    Dimensions: Object.entries(inputs.dimensions ?? {}).map(([Name, Value]) => ({ Name, Value })),
    EvaluationPeriods: inputs.evaluationPeriods,
    ExtendedStatistic: inputs.extendedStatistic,
    InsufficientDataActions: inputs.insufficientDataActions,
    MetricName: inputs.metricName,
    Namespace: inputs.namespace,
    OKActions: inputs.okActions,
    Period: inputs.period,
    Statistic: inputs.statistic as Statistic | undefined,
    Threshold: inputs.threshold,
    TreatMissingData: inputs.treatMissingData,
    Unit: inputs.unit as StandardUnit | undefined,
  };
}
