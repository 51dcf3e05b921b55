import { PermanentError } from "../../contracts/errors.ts";
import type { S3CopyMessage } from "../../contracts/messages.ts";
import { casePrefix } from "../../contracts/names.ts";

/**
 * Refuses a message that reaches outside its two cases. The role forbids it as well; this names the key.
 *
 * @throws PermanentError INVALID_KEY
 */
export function assertWithinCases({ exchange, file }: Pick<S3CopyMessage, "exchange" | "file">): void {
  assertKey("source", file.sourceKey, casePrefix(exchange.sourceCaseId));
  assertKey("destination", file.destinationKey, casePrefix(exchange.caseId));
}

function assertKey(side: string, key: string, prefix: string): void {
  if (!key.isWellFormed()) {
    throw new PermanentError(
      "INVALID_KEY",
      `${side} key ${JSON.stringify(key)} is not valid Unicode, no object can have it`,
    );
  }
  if (!key.startsWith(prefix) || key === prefix) {
    throw new PermanentError("INVALID_KEY", `${side} key ${JSON.stringify(key)} does not lie in ${prefix}`);
  }
}
