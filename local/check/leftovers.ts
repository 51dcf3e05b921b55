import { ListMultipartUploadsCommand, type S3Client } from "@aws-sdk/client-s3";
import { casePrefix, exchangeStackName } from "../../contracts/names.ts";
import { listObjects } from "./objects.ts";
import { leftoverResources, type AuditorClients } from "./resources.ts";

export interface LeftoverQuestion {
  clients: AuditorClients;
  /** What there was before, by {@link listResources}. */
  before: ReadonlySet<string>;
  exchangeIds: readonly string[];
  caseBucket: string;
  destinationCaseId: number;
  /** Where Pulumi keeps its state. */
  stateBucket: string;
}

/** Everything that exchanges should have taken away with them, each as kind and name. */
export async function findLeftovers(question: LeftoverQuestion): Promise<string[]> {
  const { clients, before, exchangeIds, caseBucket, destinationCaseId, stateBucket } = question;
  const found = await Promise.all([
    leftoverResources(clients, before, exchangeIds),
    stackState(clients.s3, stateBucket, exchangeIds),
    multipartUploads(clients.s3, caseBucket, casePrefix(destinationCaseId)),
  ]);
  return found.flat();
}

/** Checkpoints and locks of exchange stacks; the backup that Pulumi keeps of a removed stack (`.bak`) is neither. */
async function stackState(s3: S3Client, bucket: string, exchangeIds: readonly string[]): Promise<string[]> {
  const [stacks, locks] = await Promise.all(
    ["stacks", "locks"].map((folder) => listObjects(s3, bucket, `.pulumi/${folder}/`)),
  );
  const checkpoints = [...(stacks?.keys() ?? [])].filter((key) => /\.json(\.gz)?$/.test(key));
  const names = exchangeIds.map(exchangeStackName);
  return [...checkpoints, ...(locks?.keys() ?? [])]
    .filter((key) => names.some((name) => key.includes(name)))
    .map((key) => `stack state ${key}`);
}

async function multipartUploads(s3: S3Client, bucket: string, prefix: string): Promise<string[]> {
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }));
  return Uploads.map(({ Key, UploadId }) => `multipart upload ${String(Key)} (${String(UploadId)})`);
}
