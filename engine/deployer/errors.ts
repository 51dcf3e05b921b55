import type { WireError } from "../../contracts/errors.ts";

export interface DeployError extends WireError {
  /** The same operation may succeed later without anybody changing anything. */
  readonly retryable: boolean;
}

/** An error diagnostic of Pulumi's engine. */
export interface Diagnostic {
  readonly urn: string | null;
  readonly message: string;
}

/** The one place where texts of Pulumi and AWS are read; the first row that matches names the error. */
const table: readonly { readonly pattern: RegExp; readonly code: string; readonly retryable: boolean }[] = [
  { pattern: /the stack is currently locked by|\[409\] Conflict/, code: "STACK_LOCKED", retryable: true },
  { pattern: /incorrect passphrase/, code: "WRONG_PASSPHRASE", retryable: false },
  { pattern: /no resource plugin|could not (?:load|find) plugin/i, code: "PROVIDER_MISSING", retryable: false },
  { pattern: /QueueDeletedRecently/, code: "QUEUE_DELETED_RECENTLY", retryable: true },
  {
    pattern: /cannot be assumed by Lambda|execution role does not have permissions/i,
    code: "ROLE_NOT_READY",
    retryable: true,
  },
  {
    pattern: /Throttl|TooManyRequests|Rate exceeded|RequestLimitExceeded|SlowDown/,
    code: "THROTTLED",
    retryable: true,
  },
  { pattern: /ResourceInUse/, code: "RESOURCE_IN_USE", retryable: true },
  { pattern: /LimitExceeded|QuotaExceeded|CodeStorageExceeded/, code: "QUOTA_EXCEEDED", retryable: true },
  {
    pattern: /ExpiredToken|InvalidClientTokenId|NoCredentialProviders|[Nn]o valid credential/,
    code: "CREDENTIALS_INVALID",
    retryable: true,
  },
  {
    pattern: /AccessDenied|not authorized to perform|UnauthorizedOperation/,
    code: "ACCESS_DENIED",
    retryable: false,
  },
  {
    pattern:
      /ServiceUnavailable|InternalError|InternalFailure|InternalServer|RequestTimeout|StatusCode: 5\d\d|ECONN(?:RESET|REFUSED)|connection re(?:set|fused)|i\/o timeout|transport is closing/,
    code: "AWS_UNAVAILABLE",
    retryable: true,
  },
  { pattern: /already ?exists/i, code: "ALREADY_EXISTS", retryable: true },
  {
    pattern: /is a required|failed to validate|Unhandled exception|Running program/,
    code: "PROGRAM_FAILED",
    retryable: false,
  },
];

/** How much of a diagnostic is kept on a record. */
const longestMessage = 2000;

/**
 * Names what went wrong: by the diagnostics where there are any, else by what was thrown. What no row knows is taken
 * for a passing fault; the number of attempts bounds it.
 */
export function classify(diagnostics: readonly Diagnostic[], thrown: unknown): DeployError {
  const told = diagnostics.map(({ urn, message }) => (urn === null ? message : `${resourceOf(urn)}: ${message}`));
  const text = (told.length > 0 ? told.join("; ") : messageOf(thrown)).trim();
  const known = table.find(({ pattern }) => pattern.test(text));
  return {
    code: known?.code ?? "PULUMI_FAILED",
    message: text.length > longestMessage ? `${text.slice(0, longestMessage)}…` : text,
    retryable: known?.retryable ?? true,
  };
}

/** `type::name`, the part of a URN that people read. */
function resourceOf(urn: string): string {
  return urn.split("::").slice(-2).join("::");
}

/** Of a failed command only what it wrote to stderr, without the command line that the SDK puts round it. */
function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return / stderr: Command failed[^\n]*\n([\s\S]*?)\n err\?:/.exec(text)?.[1] ?? text;
}
