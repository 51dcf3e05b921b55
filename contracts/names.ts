import type { ProcessorKind, QueueKind } from "./plan.ts";

/** Every physical resource of an exchange starts with this, so that policies and sweeps can be scoped to it. */
export const resourcePrefix = "doc_exch_";

/** The value of the `service` tag of everything that we create. */
export const serviceTag = "documentexchanger";

/** The beginning of a queue's physical name; Pulumi appends a random suffix, and nothing ever rebuilds a name. */
export function queueName(kind: QueueKind, caseId: number, batchId: string): string {
  return `${resourcePrefix}${kind}_queue_${caseId}_${batchId}`;
}

export function lambdaName(kind: ProcessorKind, caseId: number, batchId: string): string {
  return `${resourcePrefix}${kind}_lambda_${caseId}_${batchId}`;
}

export function roleName(kind: ProcessorKind, caseId: number, batchId: string): string {
  return `${resourcePrefix}${kind}_role_${caseId}_${batchId}`;
}

/** The stack of one exchange. */
export function exchangeStackName(exchangeId: string): string {
  return `exchange-${exchangeId}`;
}

/** The S3 prefix under which a case keeps all of its files. */
export function casePrefix(caseId: number): string {
  return `case_${caseId}/`;
}
