import * as iam from "@pulumi/aws/iam/index.js";
import type { Input } from "@pulumi/pulumi";
import { resourcePrefix } from "../../../contracts/names.ts";
import { policyOf } from "../../components/policy.ts";
import type { Scope } from "../scope.ts";
import { engineStatements, type EngineReach } from "./engine-statements.ts";

type Known = Omit<EngineReach, "region" | "stateBucket" | "uploaderQueueArn">;

/** The role under which the engine runs every exchange. */
export function makeEngineRole(
  { config, options }: Scope,
  known: { [Name in keyof Known]: Input<Known[Name]> },
): iam.Role {
  const role = new iam.Role(
    `${resourcePrefix}engine`,
    {
      description: "Runs exchanges: makes and removes their stacks, starts record copies, follows events",
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { AWS: config.engine.principalArns }, Action: "sts:AssumeRole" }],
      }),
    },
    options,
  );
  const policy = policyOf<Known>(known, (values) =>
    engineStatements({
      ...values,
      region: config.region,
      stateBucket: config.stateBucket,
      uploaderQueueArn: config.uploader.queueArn,
    }),
  );
  new iam.RolePolicy(`${resourcePrefix}engine`, { role: role.name, policy }, options);
  return role;
}
