import type { ExecutionClass, Job, JobMode, WorkerType } from "@aws-sdk/client-glue";
import { define } from "../resource.ts";
import { ifExists, inUse, propagating } from "../retrying.ts";
import { flag, number, object, text, textList, textMap, type Values } from "../schema.ts";

const properties = {
  arn: text({ role: "output" }),
  command: object(
    {
      name: text({ default: "glueetl" }),
      pythonVersion: text({ computed: true }),
      runtime: text({ computed: true }),
      scriptLocation: text({ role: "required" }),
    },
    { role: "required" },
  ),
  connections: textList(),
  defaultArguments: textMap(),
  description: text(),
  executionClass: text(),
  executionProperty: object({ maxConcurrentRuns: number({ default: 1 }) }, { computed: true }),
  glueVersion: text({ computed: true }),
  jobMode: text({ computed: true }),
  jobRunQueuingEnabled: flag(),
  maintenanceWindow: text(),
  maxCapacity: number({ computed: true }),
  maxRetries: number(),
  name: text({ replaces: true }),
  nonOverridableArguments: textMap(),
  notificationProperty: object({ notifyDelayAfter: number() }, { computed: true }),
  numberOfWorkers: number({ computed: true }),
  roleArn: text({ role: "required" }),
  securityConfiguration: text(),
  timeout: number({ computed: true }),
  workerType: text({ computed: true }),
};

export const job = define({
  token: "aws:glue/job:Job",
  properties,
  unsupported: ["sourceControlDetails"],
  naming: { property: "name", maxLength: 255 },
  validate: ({ maxCapacity, workerType, numberOfWorkers }) =>
    maxCapacity !== undefined && (workerType !== undefined || numberOfWorkers !== undefined)
      ? [{ property: "maxCapacity", reason: "cannot be given together with workerType and numberOfWorkers" }]
      : [],

  async create(context, inputs, tags) {
    const glue = await context.aws.glue();
    const made = await context.retry(propagating, () =>
      glue.createJob({ ...settingsOf(inputs), Name: inputs.name, Tags: tags }),
    );
    return made.Name ?? "";
  },
  async read(context, id) {
    const glue = await context.aws.glue();
    const found = (await ifExists(() => glue.getJob({ JobName: id })))?.Job;
    if (found === undefined) return undefined;
    const arn = context.arn("glue", `job/${id}`, await context.aws.accountId());
    const tags = await ifExists(() => glue.getTags({ ResourceArn: arn }));
    return { ...stateOf(found), arn, name: id, tagsAll: tags?.Tags ?? {} };
  },
  async update(context, id, { inputs }) {
    const glue = await context.aws.glue();
    await context.retry([...propagating, ...inUse], () =>
      glue.updateJob({ JobName: id, JobUpdate: settingsOf(inputs) }),
    );
  },
  async delete(context, id) {
    const glue = await context.aws.glue();
    await context.retry(inUse, () => glue.deleteJob({ JobName: id }));
  },
  tagging: {
    add: async (context, _id, TagsToAdd, { arn }) =>
      (await context.aws.glue()).tagResource({ ResourceArn: arn, TagsToAdd }),
    remove: async (context, _id, TagsToRemove, { arn }) =>
      (await context.aws.glue()).untagResource({ ResourceArn: arn, TagsToRemove }),
  },
});

/** The whole definition: an update of Glue replaces it, so what is absent goes. */
function settingsOf(inputs: Values<typeof properties>) {
  const { command, connections, executionProperty, notificationProperty } = inputs;
  return {
    Command: {
      Name: command.name ?? "glueetl",
      PythonVersion: command.pythonVersion,
      Runtime: command.runtime,
      ScriptLocation: command.scriptLocation,
    },
    ...(connections === undefined ? {} : { Connections: { Connections: connections } }),
    DefaultArguments: inputs.defaultArguments,
    Description: inputs.description,
    ExecutionClass: inputs.executionClass as ExecutionClass | undefined,
    ...(executionProperty === undefined
      ? {}
      : { ExecutionProperty: { MaxConcurrentRuns: executionProperty.maxConcurrentRuns } }),
    GlueVersion: inputs.glueVersion,
    JobMode: inputs.jobMode as JobMode | undefined,
    JobRunQueuingEnabled: inputs.jobRunQueuingEnabled,
    MaintenanceWindow: inputs.maintenanceWindow,
    MaxCapacity: inputs.maxCapacity,
    MaxRetries: inputs.maxRetries,
    NonOverridableArguments: inputs.nonOverridableArguments,
    ...(notificationProperty === undefined
      ? {}
      : { NotificationProperty: { NotifyDelayAfter: notificationProperty.notifyDelayAfter } }),
    NumberOfWorkers: inputs.numberOfWorkers,
    Role: inputs.roleArn,
    SecurityConfiguration: inputs.securityConfiguration,
    Timeout: inputs.timeout,
    WorkerType: inputs.workerType as WorkerType | undefined,
  };
}

function stateOf(of: Job) {
  return {
    command: {
      name: of.Command?.Name,
      pythonVersion: of.Command?.PythonVersion,
      runtime: of.Command?.Runtime,
      scriptLocation: of.Command?.ScriptLocation ?? "",
    },
    connections: of.Connections?.Connections,
    defaultArguments: of.DefaultArguments,
    description: of.Description,
    executionClass: of.ExecutionClass,
    executionProperty: { maxConcurrentRuns: of.ExecutionProperty?.MaxConcurrentRuns },
    glueVersion: of.GlueVersion,
    jobMode: of.JobMode,
    jobRunQueuingEnabled: of.JobRunQueuingEnabled,
    maintenanceWindow: of.MaintenanceWindow,
    maxCapacity: of.MaxCapacity,
    maxRetries: of.MaxRetries,
    nonOverridableArguments: of.NonOverridableArguments,
    notificationProperty:
      of.NotificationProperty?.NotifyDelayAfter === undefined
        ? undefined
        : { notifyDelayAfter: of.NotificationProperty.NotifyDelayAfter },
    numberOfWorkers: of.NumberOfWorkers,
    roleArn: of.Role ?? "",
    securityConfiguration: of.SecurityConfiguration,
    timeout: of.Timeout,
    workerType: of.WorkerType,
  };
}
