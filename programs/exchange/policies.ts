import { casePrefix } from "../../contracts/names.ts";
import type { ProcessorKind } from "../../contracts/plan.ts";
import type { Statement } from "../components/policy.ts";

/** What the rights of one exchange's processors are measured by. */
export interface ProcessorReach {
  caseBucket: string;
  sourceCaseId: number;
  /** The destination case. */
  caseId: number;
  topicArn: string;
  /** The queue that feeds the processor. */
  queueArn: string;
  deadLetterQueueArn: string;
  /** The queue that a processor hands on to; undefined for the last. */
  nextQueueArn: string | undefined;
  /** Undefined for a processor that does not call Document Engine. */
  documentEngineSecretArn: string | undefined;
  searchTextSecretArn: string;
}

/** What the processors of one exchange may do, and nothing of any other case or exchange. */
export const processorStatements: Readonly<Record<ProcessorKind, (of: ProcessorReach) => Statement[]>> = {
  s3_copy: (of) => [
    {
      Sid: "ReadTheSourceCase",
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectAttributes"],
      Resource: objectsOf(of, of.sourceCaseId),
    },
    {
      Sid: "WriteTheDestinationCase",
      Effect: "Allow",
      Action: [
        "s3:GetObject",
        "s3:GetObjectAttributes",
        "s3:PutObject",
        "s3:PutObjectTagging",
        "s3:AbortMultipartUpload",
      ],
      Resource: objectsOf(of, of.caseId),
    },
    learnThatAKeyIsMissing(of, [of.sourceCaseId, of.caseId]),
    ...readSecret(of.documentEngineSecretArn),
    ...useQueuesAndReport(of),
  ],
  pre_uploader: (of) => [
    {
      Sid: "ReadTheSourceCase",
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: objectsOf(of, of.sourceCaseId),
    },
    learnThatAKeyIsMissing(of, [of.sourceCaseId]),
    writeTheDestinationCase(of),
    ...readSecret(of.documentEngineSecretArn),
    ...useQueuesAndReport(of),
  ],
  re_ocr: (of) => [writeTheDestinationCase(of), ...readSecret(of.documentEngineSecretArn), ...useQueuesAndReport(of)],
  search_text: (of) => [
    {
      Sid: "ReadTextsOfTheDestinationCase",
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: `${objectsOf(of, of.caseId).slice(0, -1)}processed-files/*`,
    },
    ...readSecret(of.searchTextSecretArn),
    ...useQueuesAndReport(of),
  ],
};

function objectsOf({ caseBucket }: ProcessorReach, caseId: number): string {
  return `arn:aws:s3:::${caseBucket}/${casePrefix(caseId)}*`;
}

function writeTheDestinationCase(of: ProcessorReach): Statement {
  return {
    Sid: "WriteTheDestinationCase",
    Effect: "Allow",
    Action: "s3:PutObject",
    Resource: objectsOf(of, of.caseId),
  };
}

/** A missing key may answer 403, like a missing right: a listing of just that key tells the two apart. */
function learnThatAKeyIsMissing({ caseBucket }: ProcessorReach, caseIds: readonly number[]): Statement {
  const prefixes = caseIds.map((caseId) => `${casePrefix(caseId)}*`);
  return {
    Sid: "LearnThatAKeyIsMissing",
    Effect: "Allow",
    Action: "s3:ListBucket",
    Resource: `arn:aws:s3:::${caseBucket}`,
    Condition: { StringLike: { "s3:prefix": oneOrMany(prefixes) } },
  };
}

function readSecret(secretArn: string | undefined): Statement[] {
  if (secretArn === undefined) return [];
  return [{ Sid: "ReadItsSecret", Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: secretArn }];
}

function useQueuesAndReport({ queueArn, nextQueueArn, deadLetterQueueArn, topicArn }: ProcessorReach): Statement[] {
  const queues = nextQueueArn === undefined ? [deadLetterQueueArn] : [nextQueueArn, deadLetterQueueArn];
  return [
    { Sid: "HandOn", Effect: "Allow", Action: "sqs:SendMessage", Resource: oneOrMany(queues) },
    { Sid: "LetComeAgainSooner", Effect: "Allow", Action: "sqs:ChangeMessageVisibility", Resource: queueArn },
    { Sid: "Report", Effect: "Allow", Action: "sns:Publish", Resource: topicArn },
  ];
}

/** Lists of one are written as the one: AWS stores them so. */
function oneOrMany(values: readonly string[]): string | readonly string[] {
  const [only, ...others] = values;
  return only !== undefined && others.length === 0 ? only : values;
}

/** The uploader module consumes the `doc_uploader` queue of the exchange. */
export function uploaderGrant(queueArn: string, principalArn: string): Statement {
  return {
    Sid: "UploaderConsumes",
    Effect: "Allow",
    Principal: { AWS: principalArn },
    Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
    Resource: queueArn,
  };
}
