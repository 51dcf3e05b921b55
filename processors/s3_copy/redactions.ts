import {
  BrokenCircuitError,
  circuitBreaker,
  ConsecutiveBreaker,
  handleWhen,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
  wrap,
} from "cockatiel";
import { engineDocumentId, isRedaction } from "../../contracts/annotations.ts";
import { PermanentError, type WireError } from "../../contracts/errors.ts";
import type { S3CopyMessage } from "../../contracts/messages.ts";
import { notCounted, sumOfRedactions, type RedactionCounts } from "../../contracts/redactions.ts";
import type { DocumentEngine } from "../shared/document_engine/client.ts";
import { classify } from "../shared/failures.ts";
import type { Logger } from "../shared/log.ts";

/** What the event about a copied file says of redactions: how many each exhibit leaves behind, or that it is unknown. */
export type CountedRedactions = CountedExhibits | { warning: WireError };
interface CountedExhibits {
  exhibits: { exhibitId: string; redactions: RedactionCounts }[];
  /** Of all exhibits together. */
  redactions: RedactionCounts;
}

/** Counts the redactions that a copied file leaves behind. Never throws: what cannot be counted is reported as unknown. */
export type CountRedactions = (message: S3CopyMessage, log: Logger) => Promise<CountedRedactions>;

interface CountLimits {
  /** For all exhibits of one document. */
  timeoutMilliseconds: number;
  /** After some failures in a row nothing is asked for so long. */
  pauseMilliseconds: number;
}

const failuresInARow = 3;

/** Counts in Document Engine, within limits that keep it from holding up the copying. */
export function redactionCounter(engine: Pick<DocumentEngine, "annotations">, limits: CountLimits): CountRedactions {
  // A document that is not there says nothing about the next one.
  const breaker = circuitBreaker(
    handleWhen((error) => !(error instanceof PermanentError)),
    { halfOpenAfter: limits.pauseMilliseconds, breaker: new ConsecutiveBreaker(failuresInARow) },
  );
  const policy = wrap(breaker, timeout(limits.timeoutMilliseconds, TimeoutStrategy.Aggressive));
  return async (message, log) => {
    try {
      const documents = documentsOf(message);
      const count = () => Promise.all(documents.map((one) => countOf(engine, one)));
      const exhibits = documents.length > 0 ? await policy.execute(count) : [];
      return { exhibits, redactions: sumOfRedactions(exhibits.map(({ redactions }) => redactions)) };
    } catch (thrown) {
      const code = codeOf(thrown);
      log.warn({ err: thrown, code }, "redactions not counted");
      // The code alone: what Document Engine answers may quote annotations.
      const why = `the redactions of document ${message.documentId} that are left behind could not be counted: ${code}`;
      return { warning: { code: notCounted, message: why } };
    }
  };
}

function codeOf(thrown: unknown): string {
  if (thrown instanceof BrokenCircuitError) return "DOCUMENT_ENGINE_UNAVAILABLE";
  if (thrown instanceof TaskCancelledError) return "DOCUMENT_ENGINE_TIMEOUT";
  return classify(thrown).code;
}

interface CountedDocument {
  exhibitId: string;
  engineDocumentId: string;
}

/** @throws PermanentError NO_SOURCE_BATCH, EXHIBITS_UNKNOWN */
function documentsOf({ exchange, documentId, exhibitIds, exhibits, sourceBatchId }: S3CopyMessage): CountedDocument[] {
  if (exhibits.length !== exhibitIds.length) {
    const message = `the message names ${exhibits.length} exhibits of the source case for ${exhibitIds.length} of the destination`;
    throw new PermanentError("EXHIBITS_UNKNOWN", message);
  }
  return exhibits.map(({ sourceExhibitId, exhibitId }) => {
    if (sourceBatchId === null) {
      throw new PermanentError("NO_SOURCE_BATCH", `document ${documentId} of the source case has no batch`);
    }
    const named = { caseId: exchange.sourceCaseId, batchId: sourceBatchId, documentId, exhibitId: sourceExhibitId };
    return { exhibitId, engineDocumentId: engineDocumentId(named) };
  });
}

async function countOf(engine: Pick<DocumentEngine, "annotations">, { exhibitId, engineDocumentId }: CountedDocument) {
  const annotations = await engine.annotations(engineDocumentId);
  const left = annotations.filter(({ content }) => isRedaction(content)).length;
  return { exhibitId, redactions: { fetched: left, branded: 0, layered: 0, left } };
}
