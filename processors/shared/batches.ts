import { ExponentialBackoff, handleType, retry } from "cockatiel";
import { PermanentError, RecoverableError } from "../../contracts/errors.ts";

/** What SQS and SNS take in one batch. */
const maxEntries = 10;
export const maxBytes = 256 * 1024;

/** One entry that the service did not take, out of a batch that it answered with 200. */
export interface Refusal {
  Id?: string | undefined;
  Code?: string | undefined;
  Message?: string | undefined;
  SenderFault?: boolean | undefined;
}

interface Entry {
  Id: string;
}

/** How often, and after which pauses, the refused entries of a batch are offered again. */
export const refusalPolicy = retry(handleType(RecoverableError), {
  maxAttempts: 4,
  backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 2_000 }),
});
export type RefusalPolicy = Pick<typeof refusalPolicy, "execute">;

/** Splits in order into batches of at most ten items and 256 KiB. An item that is too large alone is left to the service. */
export function inBatches<Item>(items: readonly Item[], bytesOf: (item: Item) => number): Item[][] {
  const batches: Item[][] = [];
  let batch: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    if (batch.length > 0 && (batch.length === maxEntries || bytes + size > maxBytes)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += size;
  }
  return batch.length > 0 ? [...batches, batch] : batches;
}

/**
 * Offers entries until the service took each of them.
 *
 * @param offer sends the entries and answers those that were refused
 * @throws RecoverableError SEND_INCOMPLETE with the number of entries that were refused to the end
 * @throws PermanentError SEND_REFUSED when the service says that the entry itself is wrong
 */
export async function deliver<E extends Entry>(
  entries: readonly E[],
  target: string,
  offer: (entries: E[]) => Promise<Refusal[]>,
  policy: RefusalPolicy = refusalPolicy,
): Promise<void> {
  let waiting = [...entries];
  await policy.execute(async () => {
    const refusals = await offer(waiting);
    if (refusals.length === 0) return;
    const told = refusals.map(({ Code, Message }) => `${Code ?? "no code"}: ${Message ?? ""}`)[0] ?? "";
    const count = `${refusals.length} of ${entries.length} messages were refused by ${target} (${told})`;
    if (refusals.some(({ SenderFault }) => SenderFault)) throw new PermanentError("SEND_REFUSED", count);
    waiting = waiting.filter(({ Id }) => refusals.some((refusal) => refusal.Id === Id));
    throw new RecoverableError("SEND_INCOMPLETE", count);
  });
}
