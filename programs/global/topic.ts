import * as sns from "@pulumi/aws/sns/index.js";
import { resourcePrefix } from "../../contracts/names.ts";
import { onlyOverTls, policyOf } from "../components/policy.ts";
import type { Scope } from "./scope.ts";

/** The topic of all events. Our own roles publish by their policies; the uploader module is let in here. */
export function makeTopic({ config, options }: Scope): sns.Topic {
  const topic = new sns.Topic(`${resourcePrefix}events`, {}, options);
  const policy = policyOf({ arn: topic.arn }, ({ arn }) => [
    {
      Sid: "UploaderReports",
      Effect: "Allow",
      Principal: { AWS: config.uploader.principalArn },
      Action: "sns:Publish",
      Resource: arn,
    },
    ...(config.requireTls ? [onlyOverTls("sns:Publish", arn)] : []),
  ]);
  new sns.TopicPolicy(`${resourcePrefix}events`, { arn: topic.arn, policy }, options);
  return topic;
}
