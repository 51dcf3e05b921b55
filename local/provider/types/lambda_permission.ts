import type { FunctionUrlAuthType } from "@aws-sdk/client-lambda";
import { z } from "zod";
import { define } from "../resource.ts";
import { ifExists, inUse } from "../retrying.ts";
import { text } from "../schema.ts";

const policyDocument = z.object({
  Statement: z.array(
    z.object({
      Sid: z.string(),
      Action: z.string(),
      Principal: z.union([z.string(), z.record(z.string(), z.string())]),
      Condition: z.record(z.string(), z.record(z.string(), z.string())).optional(),
    }),
  ),
});

export const permission = define({
  token: "aws:lambda/permission:Permission",
  properties: {
    action: text({ role: "required", replaces: true }),
    eventSourceToken: text({ replaces: true, unread: true }),
    function: text({ role: "required", replaces: true }),
    functionUrlAuthType: text({ replaces: true, unread: true }),
    principal: text({ role: "required", replaces: true }),
    principalOrgId: text({ replaces: true, unread: true }),
    qualifier: text({ replaces: true, unread: true }),
    sourceAccount: text({ replaces: true }),
    sourceArn: text({ replaces: true }),
    statementId: text({ replaces: true }),
  },
  unsupported: ["invokedViaFunctionUrl", "statementIdPrefix"],
  naming: { property: "statementId", maxLength: 100 },

  async create(context, inputs) {
    const lambda = await context.aws.lambda();
    const StatementId = inputs.statementId ?? "";
    await context.retry(inUse, () =>
      lambda.addPermission({
        Action: inputs.action,
        EventSourceToken: inputs.eventSourceToken,
        FunctionName: inputs.function,
        FunctionUrlAuthType: inputs.functionUrlAuthType as FunctionUrlAuthType | undefined,
        Principal: inputs.principal,
        PrincipalOrgID: inputs.principalOrgId,
        Qualifier: inputs.qualifier,
        SourceAccount: inputs.sourceAccount,
        SourceArn: inputs.sourceArn,
        StatementId,
      }),
    );
    return StatementId;
  },
  async read(context, id, known) {
    const lambda = await context.aws.lambda();
    const { FunctionName, statementId } = identityOf(id, known.function);
    const found = await ifExists(() => lambda.getPolicy({ FunctionName, Qualifier: known.qualifier }));
    if (found?.Policy === undefined) return undefined;
    const statements = policyDocument.parse(JSON.parse(found.Policy)).Statement;
    const statement = statements.find(({ Sid }) => Sid === statementId);
    if (statement === undefined) return undefined;
    const conditions = Object.values(statement.Condition ?? {}).flatMap((test) => Object.entries(test));
    const condition = (key: string) => conditions.find(([name]) => name.toLowerCase() === key)?.[1];
    return {
      action: statement.Action,
      function: FunctionName,
      principal:
        typeof statement.Principal === "string"
          ? statement.Principal
          : principalOf(statement.Principal, known.principal),
      sourceAccount: condition("aws:sourceaccount"),
      sourceArn: condition("aws:sourcearn"),
      statementId,
    };
  },
  async delete(context, id, state) {
    const lambda = await context.aws.lambda();
    const { FunctionName, statementId } = identityOf(id, state.function);
    await context.retry(inUse, () =>
      lambda.removePermission({ FunctionName, StatementId: statementId, Qualifier: state.qualifier }),
    );
  },
});

/** Imports name a permission `function/statement`; a created one is known by its statement alone. */
function identityOf(id: string, known: string | undefined): { FunctionName: string; statementId: string } {
  const [FunctionName = "", statementId] = id.split("/");
  return statementId === undefined
    ? { FunctionName: known ?? "", statementId: id }
    : { FunctionName: known ?? FunctionName, statementId };
}

/** An account id comes back as the ARN of its root. */
function principalOf(principal: Record<string, string>, given: string | undefined): string {
  const [value = ""] = Object.values(principal);
  return given !== undefined && value === `arn:aws:iam::${given}:root` ? given : value;
}
