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

/** Where what the annotations of one exhibit became lies in the destination case. */
export function exhibitPrefix(of: { caseId: number; batchId: string; documentId: string; exhibitId: string }): string {
  return `${casePrefix(of.caseId)}processed-files/${of.batchId}/annotated/${of.documentId}/${of.exhibitId}/`;
}

/**
 * Where the page texts of an exhibit lie. A document has one place; a further exhibit of the same document, which may
 * read differently, has one of its own.
 */
export function textPrefix(of: {
  caseId: number;
  batchId: string;
  documentId: string;
  furtherExhibitId?: string | undefined;
}): string {
  const further = of.furtherExhibitId === undefined ? "" : `exhibits/${of.furtherExhibitId}/`;
  return `${casePrefix(of.caseId)}processed-files/${of.batchId}/txt/${of.documentId}/${further}attachments/`;
}

/** The text of one page. @param position counts from 1 */
export function pageTextKey(prefix: string, position: number): string {
  return `${prefix}${position}/content.txt`;
}
