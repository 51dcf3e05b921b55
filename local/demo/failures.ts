import { z } from "zod";
import { wireError } from "../../contracts/errors.ts";
import { stages, type Stage } from "../../contracts/ledger.ts";
import type { CheckResult } from "../check/check.ts";
import type { Client, ExchangeView } from "../platform/client.ts";
import { PlatformInputError } from "../platform/errors.ts";

/** One file that failed in one stage, as `GET /exchanges/{id}/documents?state=failed` lists it. */
const failedUnit = z.object({
  documentId: z.string(),
  fileId: z.string(),
  stage: z.enum(stages),
  error: wireError.optional(),
});
export type FailedUnit = z.infer<typeof failedUnit>;

const page = z.object({ documents: z.array(failedUnit), next: z.string().nullable() });

/** Every file that the API lists as failed. */
export async function readFailures(client: Client, exchangeId: string): Promise<FailedUnit[]> {
  const found: FailedUnit[] = [];
  let after = "";
  for (;;) {
    const path = `/exchanges/${exchangeId}/documents?state=failed&limit=500${after}`;
    const { status, body } = await client.request("GET", path);
    if (status !== 200) throw new PlatformInputError("UNEXPECTED_ANSWER", `the engine answered ${status} to ${path}`);
    const { documents, next } = page.parse(body);
    found.push(...documents);
    if (next === null) return found;
    after = `&after=${next}`;
  }
}

const nouns: Record<Stage, string> = {
  copy: "copies",
  pre_upload: "annotations of documents",
  upload: "uploads",
  re_ocr: "text extractions",
  search: "indexings",
};

/** Failures that one sentence names. */
const mostNamed = 5;

/** A sentence for each stage in which something failed: how much, and the first of it with its reason. */
export function failureProblems(failures: readonly FailedUnit[]): string[] {
  return stages.flatMap((stage) => {
    const failed = failures.filter((one) => one.stage === stage);
    if (failed.length === 0) return [];
    const named = failed.slice(0, mostNamed).map(({ documentId, fileId, error }) => {
      const why = error ? ` (${error.code}: ${error.message})` : "";
      return `file ${fileId} of document ${documentId}${why}`;
    });
    const more = failed.length > named.length ? `, and ${failed.length - named.length} more` : "";
    return [`${failed.length} ${nouns[stage]} failed: ${named.join(", ")}${more}`];
  });
}

/**
 * What the outside check found, with what the exchange itself reports as failed: a document that was copied and could not be
 * uploaded lies in the destination, so that only the ledger knows of it.
 */
export function withFailures(
  verdict: CheckResult,
  view: Pick<ExchangeView, "documents">,
  failures: readonly FailedUnit[],
): CheckResult {
  const { selected, notFound } = verdict.documents;
  const failed = Math.max(verdict.documents.failed, view.documents.failed);
  return {
    ...verdict,
    problems: [...failureProblems(failures), ...verdict.problems],
    documents: { selected, copied: selected - notFound - failed, notFound, failed },
  };
}
