import { casePrefix } from "../../contracts/names.ts";
import type { Statement } from "../components/policy.ts";

/** What the S3 Copy Lambda of one exchange may do, and nothing of any other case or exchange. */
export function s3CopyStatements(of: {
  caseBucket: string;
  sourceCaseId: number;
  caseId: number;
  topicArn: string;
  uploaderQueueArn: string;
  deadLetterQueueArn: string;
}): Statement[] {
  const bucket = `arn:aws:s3:::${of.caseBucket}`;
  const source = casePrefix(of.sourceCaseId);
  const destination = casePrefix(of.caseId);
  return [
    {
      Sid: "ReadTheSourceCase",
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectAttributes"],
      Resource: `${bucket}/${source}*`,
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
      Resource: `${bucket}/${destination}*`,
    },
    {
      // A missing key may answer 403, like a missing right: a listing of just that key tells the two apart.
      Sid: "LearnThatAKeyIsMissing",
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: bucket,
      Condition: { StringLike: { "s3:prefix": [`${source}*`, `${destination}*`] } },
    },
    {
      Sid: "HandOn",
      Effect: "Allow",
      Action: "sqs:SendMessage",
      Resource: [of.uploaderQueueArn, of.deadLetterQueueArn],
    },
    { Sid: "Report", Effect: "Allow", Action: "sns:Publish", Resource: of.topicArn },
  ];
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
