/** Who is who in the local cloud, and what each may do: the same IAM policies that the real account would have. */
import { resourcePrefix } from "../../contracts/names.ts";

/** The callers that the local cloud knows; none of them is root. */
export const profiles = ["operator", "engine", "uploader", "platform", "auditor"] as const;
export type Profile = (typeof profiles)[number];

interface Statement {
  Effect: "Allow";
  Action: string[];
  Resource: string[];
}

export interface PolicyNames {
  account: string;
  region: string;
  caseBucket: string;
  /** The name of the uploader's queue. */
  uploaderQueue: string;
}

const allow = (Action: string[], ...Resource: string[]): Statement => ({ Effect: "Allow", Action, Resource });

/** The identity policy of each user. */
export function policiesOf(names: PolicyNames): Record<Profile, Statement[]> {
  const arn = (service: string, resource: string) => `arn:aws:${service}:${names.region}:${names.account}:${resource}`;
  const iam = (resource: string) => `arn:aws:iam::${names.account}:${resource}`;
  const bucket = `arn:aws:s3:::${names.caseBucket}`;
  return {
    // Deploys and repairs by hand: every service that the stacks use, roles and policies, but neither users nor keys.
    operator: [
      allow(
        ["s3:*", "sqs:*", "sns:*", "lambda:*", "states:*", "glue:*", "secretsmanager:*", "logs:*", "tag:*", "kms:*"],
        "*",
      ),
      // The emulator asks for the first without a resource, AWS as well for the second.
      allow(["iam:CreatePolicy", "iam:ListRoles"], "*"),
      allow(
        [
          "iam:CreateRole",
          "iam:DeleteRole",
          "iam:GetRole",
          "iam:UpdateRole",
          "iam:UpdateRoleDescription",
          "iam:UpdateAssumeRolePolicy",
          "iam:PassRole",
          "iam:TagRole",
          "iam:UntagRole",
          "iam:ListRoleTags",
          "iam:PutRolePolicy",
          "iam:GetRolePolicy",
          "iam:DeleteRolePolicy",
          "iam:ListRolePolicies",
          "iam:AttachRolePolicy",
          "iam:DetachRolePolicy",
          "iam:ListAttachedRolePolicies",
          "iam:PutRolePermissionsBoundary",
          "iam:DeleteRolePermissionsBoundary",
          "iam:ListInstanceProfilesForRole",
          "iam:DeletePolicy",
          "iam:GetPolicy",
          "iam:ListPolicies",
          "iam:ListEntitiesForPolicy",
          "iam:CreatePolicyVersion",
          "iam:DeletePolicyVersion",
          "iam:GetPolicyVersion",
          "iam:ListPolicyVersions",
          "iam:TagPolicy",
          "iam:UntagPolicy",
          "iam:ListPolicyTags",
        ],
        iam("role/*"),
        iam("policy/*"),
      ),
    ],
    // Nothing of its own: everything that the engine does, it does as its role.
    engine: [allow(["sts:AssumeRole"], iam(`role/${resourcePrefix}engine*`))],
    uploader: [
      allow(["sqs:*"], arn("sqs", names.uploaderQueue)),
      allow(
        [
          "sqs:ReceiveMessage",
          "sqs:DeleteMessage",
          "sqs:ChangeMessageVisibility",
          "sqs:GetQueueAttributes",
          "sqs:GetQueueUrl",
        ],
        arn("sqs", `${resourcePrefix}doc_uploader_queue_*`),
      ),
      allow(["s3:GetObject"], `${bucket}/*`),
      allow(["sns:Publish"], arn("sns", `${resourcePrefix}*`)),
    ],
    // The product around us, which puts case files where they belong.
    platform: [
      allow(["s3:ListBucket"], bucket),
      allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], `${bucket}/*`),
    ],
    // Looks at everything, changes nothing, reads no secret.
    auditor: [
      allow(
        [
          "s3:List*",
          "s3:Get*",
          "sqs:List*",
          "sqs:Get*",
          "sns:List*",
          "sns:Get*",
          "lambda:List*",
          "lambda:Get*",
          "states:List*",
          "states:Describe*",
          "states:Get*",
          "glue:List*",
          "glue:Get*",
          "glue:BatchGet*",
          "iam:List*",
          "iam:Get*",
          "logs:Describe*",
          "logs:List*",
          "logs:Get*",
          "logs:FilterLogEvents",
          "secretsmanager:ListSecrets",
          "secretsmanager:DescribeSecret",
          "tag:Get*",
        ],
        "*",
      ),
    ],
  };
}
