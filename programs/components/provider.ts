import { Provider } from "@pulumi/aws/provider.js";
import { serviceTag } from "../../contracts/names.ts";

/**
 * The one AWS provider of a stack. It is part of the state, so that a destroy without any configuration works in the
 * right Region, and it puts the tags by which everything of ours is found.
 */
export function awsProvider(args: {
  region: string;
  environment: string;
  exchangeId?: string;
  s3UsePathStyle?: boolean;
}): Provider {
  const tags = {
    service: serviceTag,
    environment: args.environment,
    ...(args.exchangeId === undefined ? {} : { exchangeId: args.exchangeId }),
  };
  return new Provider("aws", {
    region: args.region,
    defaultTags: { tags },
    ...(args.s3UsePathStyle === true ? { s3UsePathStyle: true } : {}),
  });
}
