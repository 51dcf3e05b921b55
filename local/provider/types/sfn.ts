import type { LogLevel, StateMachineType } from "@aws-sdk/client-sfn";
import { define } from "../resource.ts";
import { ifExists, inUse, propagating } from "../retrying.ts";
import { flag, json, object, text, type Values } from "../schema.ts";
import type { Tags } from "../tags.ts";

const properties = {
  arn: text({ role: "output" }),
  creationDate: text({ role: "output" }),
  description: text({ role: "output" }),
  revisionId: text({ role: "output", volatile: true }),
  status: text({ role: "output" }),
  definition: json({ role: "required" }),
  loggingConfiguration: object(
    { includeExecutionData: flag(), level: text({ computed: true }), logDestination: text() },
    { computed: true },
  ),
  name: text({ replaces: true }),
  publish: flag({ default: false, unread: true }),
  roleArn: text({ role: "required" }),
  tracingConfiguration: object({ enabled: flag() }, { computed: true }),
  type: text({ default: "STANDARD", replaces: true }),
};

export const stateMachine = define({
  token: "aws:sfn/stateMachine:StateMachine",
  properties,
  unsupported: ["encryptionConfiguration", "namePrefix", "stateMachineVersionArn", "versionDescription"],
  naming: { property: "name", maxLength: 80 },

  async create(context, inputs, tags) {
    const stepFunctions = await context.aws.stepFunctions();
    const made = await context.retry(propagating, () =>
      stepFunctions.createStateMachine({
        ...settingsOf(inputs),
        name: inputs.name,
        type: inputs.type as StateMachineType | undefined,
        publish: inputs.publish,
        tags: tagList(tags),
      }),
    );
    return made.stateMachineArn ?? "";
  },
  async read(context, id) {
    const stepFunctions = await context.aws.stepFunctions();
    const found = await ifExists(() => stepFunctions.describeStateMachine({ stateMachineArn: id }));
    if (found === undefined || found.status === "DELETING") return undefined;
    const { tags = [] } = await stepFunctions.listTagsForResource({ resourceArn: id });
    const logging = found.loggingConfiguration;
    return {
      arn: id,
      creationDate: found.creationDate?.toISOString(),
      description: found.description,
      revisionId: found.revisionId,
      status: found.status,
      definition: found.definition ?? "",
      loggingConfiguration:
        logging === undefined
          ? undefined
          : {
              includeExecutionData: logging.includeExecutionData,
              level: logging.level,
              logDestination: logging.destinations?.[0]?.cloudWatchLogsLogGroup?.logGroupArn,
            },
      name: found.name,
      roleArn: found.roleArn ?? "",
      tracingConfiguration: { enabled: found.tracingConfiguration?.enabled ?? false },
      type: found.type,
      tagsAll: Object.fromEntries(tags.map(({ key, value }) => [key ?? "", value ?? ""])),
    };
  },
  async update(context, id, { inputs }) {
    const stepFunctions = await context.aws.stepFunctions();
    await context.retry([...propagating, ...inUse], () =>
      stepFunctions.updateStateMachine({ ...settingsOf(inputs), stateMachineArn: id, publish: inputs.publish }),
    );
  },
  /** Running executions end first: until then the machine is only being deleted. */
  async delete(context, id) {
    const stepFunctions = await context.aws.stepFunctions();
    await stepFunctions.deleteStateMachine({ stateMachineArn: id });
    await context.until(`the state machine ${id} to be gone`, async () => {
      return (await ifExists(() => stepFunctions.describeStateMachine({ stateMachineArn: id }))) === undefined
        ? true
        : undefined;
    });
  },
  tagging: {
    add: async (context, id, tags) =>
      (await context.aws.stepFunctions()).tagResource({ resourceArn: id, tags: tagList(tags) }),
    remove: async (context, id, tagKeys) =>
      (await context.aws.stepFunctions()).untagResource({ resourceArn: id, tagKeys }),
  },
});

function settingsOf({ definition, roleArn, loggingConfiguration, tracingConfiguration }: Values<typeof properties>) {
  const destination = loggingConfiguration?.logDestination;
  return {
    definition,
    roleArn,
    ...(loggingConfiguration === undefined
      ? {}
      : {
          loggingConfiguration: {
            level: loggingConfiguration.level as LogLevel | undefined,
            includeExecutionData: loggingConfiguration.includeExecutionData,
            destinations: destination === undefined ? [] : [{ cloudWatchLogsLogGroup: { logGroupArn: destination } }],
          },
        }),
    ...(tracingConfiguration === undefined ? {} : { tracingConfiguration }),
  };
}

function tagList(tags: Tags): { key: string; value: string }[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}
