import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { GlueClient } from "@aws-sdk/client-glue";
import { IAMClient } from "@aws-sdk/client-iam";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { ResourceGroupsTaggingAPIClient } from "@aws-sdk/client-resource-groups-tagging-api";
import { S3Client } from "@aws-sdk/client-s3";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SFNClient } from "@aws-sdk/client-sfn";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { PermanentError } from "../../contracts/errors.ts";
import { patience } from "../../contracts/patience.ts";
import { databaseSecret, type DatabaseSecret } from "../../contracts/secrets.ts";

export interface AwsClients {
  readonly glue: GlueClient;
  readonly iam: IAMClient;
  readonly lambda: LambdaClient;
  readonly logs: CloudWatchLogsClient;
  readonly s3: S3Client;
  readonly secrets: SecretsManagerClient;
  readonly sfn: SFNClient;
  readonly sns: SNSClient;
  readonly sqs: SQSClient;
  readonly tagging: ResourceGroupsTaggingAPIClient;
}

export interface AwsSettings {
  readonly region: string;
  /** Instead of AWS's own; buckets then have no names in DNS and are addressed by path. */
  readonly endpoint?: string;
  /** Instead of the process's own credential chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** One client a service. */
export function awsClients(given: AwsSettings): AwsClients {
  const settings = { ...given, requestHandler: patience };
  return {
    glue: new GlueClient(settings),
    iam: new IAMClient(settings),
    lambda: new LambdaClient(settings),
    logs: new CloudWatchLogsClient(settings),
    s3: new S3Client({ ...settings, forcePathStyle: settings.endpoint !== undefined }),
    secrets: new SecretsManagerClient(settings),
    sfn: new SFNClient(settings),
    sns: new SNSClient(settings),
    sqs: new SQSClient(settings),
    tagging: new ResourceGroupsTaggingAPIClient(settings),
  };
}

export function destroyClients(clients: AwsClients): void {
  for (const client of Object.values(clients) as { destroy(): void }[]) client.destroy();
}

/** Reads a database secret; the error names the secret and never its value. */
export async function readDatabaseSecret(secrets: SecretsManagerClient, arn: string): Promise<DatabaseSecret> {
  const { SecretString: text } = await secrets.send(new GetSecretValueCommand({ SecretId: arn }));
  const parsed = databaseSecret.safeParse(parseJson(text ?? ""));
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join(".") || "the whole").join(", ");
  throw new PermanentError("INVALID_SECRET", `the secret ${arn} is not a database secret: check ${fields}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
