import { InvalidInputError } from "../../contracts/errors.ts";
import type { Clients } from "./clients.ts";
import { policyDocument } from "./policy_document.ts";
import type { Bag } from "./values.ts";

type Invoke = (args: Bag, aws: Clients, region: string) => Bag | Promise<Bag>;

const invokes: Readonly<Record<string, Invoke>> = {
  "aws:index/getCallerIdentity:getCallerIdentity": async (_args, aws) => {
    const identity = await (await aws.sts()).getCallerIdentity({});
    return { id: identity.Account, accountId: identity.Account, arn: identity.Arn, userId: identity.UserId };
  },
  "aws:index/getRegion:getRegion": (args, _aws, region) => {
    const name = typeof args["region"] === "string" ? args["region"] : region;
    return { id: name, name, region: name, description: name, endpoint: `ec2.${name}.amazonaws.com` };
  },
  "aws:iam/getPolicyDocument:getPolicyDocument": (args) => policyDocument(args),
};

/** A function of the provider. */
export async function invoke(token: string, args: Bag, aws: Clients, region: string): Promise<Bag> {
  const known = invokes[token];
  if (known) return known(args, aws, region);
  throw new InvalidInputError("UNKNOWN_FUNCTION", `the local provider does not know the function ${token}`);
}
