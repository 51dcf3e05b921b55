import { ExchangerError, PermanentError, RecoverableError, toExchangerError } from "../../contracts/errors.ts";

/** Answers of AWS that no repetition changes; everything that is not listed may pass and is tried again. */
const hopeless: Record<string, string> = {
  NoSuchKey: "NO_SUCH_KEY",
  NoSuchBucket: "NO_SUCH_BUCKET",
  InvalidObjectState: "OBJECT_ARCHIVED",
  KeyTooLongError: "INVALID_KEY",
  EntityTooLarge: "OBJECT_TOO_LARGE",
  InvalidMessageContents: "INVALID_MESSAGE",
  "AWS.SimpleQueueService.BatchRequestTooLong": "INVALID_MESSAGE",
};

const throttling = /throttl|slowdown|toomanyrequests|requestlimitexceeded|provisionedthroughput/i;
const network =
  /^(ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|TimeoutError)$/;

/** An error of the AWS SDK, as far as we read it. */
interface AwsFault extends Error {
  code?: string;
  $metadata?: { httpStatusCode?: number };
}

/**
 * Whatever was thrown, as an error of ours, with the faults of AWS sorted into passing and hopeless ones.
 *
 * A denied access is taken for passing: the policy of a role that was made seconds ago is not known everywhere in
 * AWS yet, and the number of receives bounds the waiting.
 */
export function classify(thrown: unknown): ExchangerError {
  if (thrown instanceof ExchangerError || !(thrown instanceof Error)) return toExchangerError(thrown);
  const fault: AwsFault = thrown;
  const { name, code = "", message } = fault;
  const status = fault.$metadata?.httpStatusCode;
  const recoverable = (as: string) => new RecoverableError(as, `${name}: ${message}`, { cause: thrown });

  const permanentCode = hopeless[name];
  if (permanentCode !== undefined) return new PermanentError(permanentCode, `${name}: ${message}`, { cause: thrown });
  if (throttling.test(name) || status === 429 || status === 503) return recoverable("THROTTLED");
  if (network.test(code) || network.test(name)) return recoverable("UNREACHABLE");
  if (isForbidden(fault)) return recoverable("ACCESS_DENIED");
  if (status === 409 || status === 412) return recoverable("CHANGED_MEANWHILE");
  if (status !== undefined && status >= 500) return recoverable("SERVICE_FAULT");
  return toExchangerError(thrown);
}

/** Whether S3 says that there is no such object. HEAD answers carry no body, hence the two names. */
export function isMissingObject(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === "NoSuchKey" || thrown.name === "NotFound");
}

export function isForbidden(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const fault: AwsFault = thrown;
  return fault.name.startsWith("AccessDenied") || fault.$metadata?.httpStatusCode === 403;
}
