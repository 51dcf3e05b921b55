import { resourcePrefix } from "../../../contracts/names.ts";
import type { Statement } from "../../components/policy.ts";
import { exchangesPrefix } from "../storage.ts";

/** The payload Lambda reads manifests, fills the first queues of exchanges, and reports records that it refuses. */
export function payloadStatements(of: {
  account: string;
  region: string;
  dataBucketArn: string;
  topicArn: string;
}): Statement[] {
  return [
    {
      Sid: "ReadManifests",
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: `${of.dataBucketArn}/${exchangesPrefix}*`,
    },
    {
      Sid: "FillTheFirstQueues",
      Effect: "Allow",
      Action: "sqs:SendMessage",
      Resource: ["s3_copy", "pre_uploader"].map(
        (kind) => `arn:aws:sqs:${of.region}:${of.account}:${resourcePrefix}${kind}_queue_*`,
      ),
    },
    { Sid: "PublishRefusedRecords", Effect: "Allow", Action: "sns:Publish", Resource: of.topicArn },
  ];
}

/** The ledger and status Lambdas reach their tables with one secret. */
export function databaseWriterStatements(secretArn: string): Statement[] {
  return [{ Sid: "ReadItsSecret", Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: secretArn }];
}

/** The dead-letter Lambda reports what was given up. */
export function deadLetterStatements(topicArn: string): Statement[] {
  return [{ Sid: "Report", Effect: "Allow", Action: "sns:Publish", Resource: topicArn }];
}
