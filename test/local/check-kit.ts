/** Two sample cases, an exchange between them done by hand, and the means to spoil it. */
import { randomInt, randomUUID } from "node:crypto";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { IAMClient } from "@aws-sdk/client-iam";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { CreateTopicCommand, DeleteTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { RowDataPacket } from "mysql2/promise";
import { metadataKinds } from "../../contracts/request.ts";
import { checkExchange, takeFingerprint, type Outsider } from "../../local/check/check.ts";
import { auditorClients } from "../../local/check/resources.ts";
import type { Cloud } from "../../local/cloud/cloud.ts";
import { makeSampleCases } from "../../local/samples/make.ts";
import { copyByHand } from "./copy-by-hand.ts";

export async function checkKit(cloud: Cloud) {
  const [sourceCaseId, destinationCaseId] = [randomInt(1_000_000, 2_000_000), randomInt(2_000_000, 3_000_000)];
  const caseSchemaPrefix = `check_${randomUUID().slice(0, 8)}`;
  const [source, target] = [`${caseSchemaPrefix}_${sourceCaseId}`, `${caseSchemaPrefix}_${destinationCaseId}`];
  const exchangeId = randomUUID();
  const { caseBucket, stateBucket } = cloud;
  const s3 = new S3Client(cloud.client("platform"));
  const operator = {
    iam: new IAMClient(cloud.client("operator")),
    lambda: new LambdaClient(cloud.client("operator")),
    logs: new CloudWatchLogsClient(cloud.client("operator")),
    s3: new S3Client(cloud.client("operator")),
    sns: new SNSClient(cloud.client("operator")),
    sqs: new SQSClient(cloud.client("operator")),
  };
  const clients = auditorClients(cloud.client("auditor"));
  const connection = await cloud.database.admin();
  const vandal = await cloud.database.admin();
  await vandal.query("SET FOREIGN_KEY_CHECKS = 0");
  const { TopicArn = "" } = await operator.sns.send(new CreateTopicCommand({ Name: `doc_exch_check_${exchangeId}` }));

  const store = { database: cloud.database, s3, caseBucket, caseSchemaPrefix };
  const sample = await makeSampleCases({ ...store, sourceCaseId, destinationCaseId });
  const outsider: Outsider = {
    connection,
    clients,
    caseBucket,
    stateBucket,
    caseSchemaPrefix,
    sourceCaseId,
    destinationCaseId,
  };
  const before = await takeFingerprint(outsider);
  // Documents of two exhibits, a family, the one without its object and the one without its parent among them.
  const { documentIds: hot } = sample.hot;
  const documentIds = [...hot.slice(3, 8), ...hot.slice(36, 44), sample.missingDocumentId, ...hot.slice(-1)];
  const copy = { connection, s3, caseBucket, source, target, destinationCaseId, exchangeId, documentIds };
  await copyByHand(copy);
  const exchange = { exchangeId, documentIds, includeNatives: true, metadata: [...metadataKinds] };
  const check = () => checkExchange(outsider, before, [exchange]);

  return {
    ...{ exchangeId, documentIds, sourceCaseId, destinationCaseId, source, target, caseBucket, stateBucket },
    missingDocumentId: sample.missingDocumentId,
    ...{ s3, operator, topicArn: TopicArn },
    check,
    /** What the check says while a fault is there. The fault is taken away whatever happens. */
    async problemsWhile(make: () => Promise<unknown>, mend: () => Promise<unknown>): Promise<string[]> {
      try {
        await make();
        return (await check()).problems;
      } finally {
        await mend();
      }
    },
    /** A statement of somebody whom no foreign key stops. */
    run: async (sql: string) => (await vandal.query<RowDataPacket[]>(sql))[0],
    async close(): Promise<void> {
      for (const schema of [source, target]) await vandal.query("DROP DATABASE ??", [schema]);
      await operator.sns.send(new DeleteTopicCommand({ TopicArn }));
      await Promise.all([connection.end(), vandal.end()]);
      for (const client of [s3, ...Object.values(operator), clients]) client.destroy();
    },
  };
}
