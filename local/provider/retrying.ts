import { setTimeout as sleep } from "node:timers/promises";
import { RecoverableError } from "../../contracts/errors.ts";

/** An error of AWS that passes by itself: its name, and words of its message where the name says too little. */
export interface RetryRule {
  readonly name: string;
  readonly message?: RegExp;
  /** Why it passes; shown when it did not. */
  readonly reason: string;
}

/** A new role, policy or grant is not seen everywhere at once. */
export const propagating: readonly RetryRule[] = [
  {
    name: "InvalidParameterValueException",
    message: /cannot be assumed|assume the role|execution role does not have permissions/i,
    reason: "IAM is propagating",
  },
  { name: "InvalidParameterValueException", message: /role defined for the function/i, reason: "IAM is propagating" },
  {
    name: "AccessDeniedException",
    message: /is not authorized to (assume|access this resource)|cannot be assumed/i,
    reason: "IAM is propagating",
  },
  {
    name: "InvalidInputException",
    message: /should be given assume role permissions|assume role/i,
    reason: "IAM is propagating",
  },
  { name: "StateMachineInvalidRole", reason: "IAM is propagating" },
  { name: "MalformedPolicyDocument", message: /invalid principal/i, reason: "a principal is not visible yet" },
  {
    name: "MalformedPolicyDocumentException",
    message: /invalid principal|principal/i,
    reason: "a principal is not visible yet",
  },
  { name: "MalformedPolicy", message: /invalid principal/i, reason: "a principal is not visible yet" },
  { name: "InvalidAttributeValue", message: /policy/i, reason: "a principal is not visible yet" },
];

/** Lambda works on one change of a thing at a time. */
export const inUse: readonly RetryRule[] = [
  { name: "ResourceInUseException", reason: "it is in use" },
  {
    name: "ResourceConflictException",
    message: /update is in progress|in progress|being (created|updated|deleted)|pending/i,
    reason: "another change is in progress",
  },
  { name: "OperationAborted", reason: "another change is in progress" },
  { name: "ConflictException", message: /in progress/i, reason: "another change is in progress" },
  { name: "ConcurrentModification", reason: "another change is in progress" },
  { name: "ConcurrentModificationException", reason: "another change is in progress" },
  { name: "DeleteConflict", reason: "something still hangs on it" },
];

/** S3 takes one change of a bucket's settings at a time, and may not see a new bucket at once. */
export const bucketSettling: readonly RetryRule[] = [
  ...inUse,
  { name: "NoSuchBucket", reason: "the bucket is not visible yet" },
];

/** A queue's name is free again a minute after the queue is gone. */
export const deletedRecently: readonly RetryRule[] = [
  { name: "QueueDeletedRecently", reason: "a queue of this name was deleted less than a minute ago" },
  {
    name: "AWS.SimpleQueueService.QueueDeletedRecently",
    reason: "a queue of this name was deleted less than a minute ago",
  },
];

export interface Clock {
  now(): number;
  sleep(milliseconds: number, signal: AbortSignal): Promise<unknown>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
};

const firstPause = 25;
const longestPause = 2_000;

/** Bounded patience: waits grow, end at the deadline, and end at once when the operation is cancelled. */
export class Retryer {
  readonly #clock: Clock;
  readonly #deadline: number;
  readonly #signal: AbortSignal;

  /** @param milliseconds how long the operation may take in all */
  constructor(milliseconds: number, signal: AbortSignal, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#deadline = clock.now() + milliseconds;
    this.#signal = signal;
  }

  async retry<T>(rules: readonly RetryRule[], attempt: () => Promise<T>): Promise<T> {
    for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
      try {
        return await attempt();
      } catch (error) {
        const rule = rules.find((one) => matches(one, error));
        if (rule === undefined) throw error;
        await this.#pause(pause, `${rule.reason}: ${messageOf(error)}`, error);
      }
    }
  }

  async until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      await this.#pause(pause, `waiting for ${what}`);
    }
  }

  async #pause(milliseconds: number, reason: string, cause?: unknown): Promise<void> {
    if (this.#signal.aborted) throw cancelled(reason, cause);
    if (this.#clock.now() + milliseconds > this.#deadline) {
      throw new RecoverableError("TIMED_OUT", `timed out; ${reason}`, { cause });
    }
    try {
      await this.#clock.sleep(milliseconds, this.#signal);
    } catch {
      throw cancelled(reason, cause);
    }
  }
}

function cancelled(reason: string, cause: unknown): RecoverableError {
  return new RecoverableError("CANCELLED", `cancelled; ${reason}`, { cause });
}

function matches(rule: RetryRule, error: unknown): boolean {
  return nameOf(error) === rule.name && (rule.message === undefined || rule.message.test(messageOf(error)));
}

export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The answer, or undefined when AWS says that there is no such thing. */
export async function ifExists<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const missingNames = new Set([
  "QueueDoesNotExist",
  "AWS.SimpleQueueService.NonExistentQueue",
  "NotFound",
  "NotFoundException",
  "ResourceNotFoundException",
  "ResourceNotFound",
  "NoSuchEntity",
  "NoSuchEntityException",
  "NoSuchBucket",
  "NoSuchKey",
  "NoSuchBucketPolicy",
  "NoSuchLifecycleConfiguration",
  "NoSuchPublicAccessBlockConfiguration",
  "NoSuchTagSet",
  "ServerSideEncryptionConfigurationNotFoundError",
  "OwnershipControlsNotFoundError",
  "StateMachineDoesNotExist",
  "EntityNotFoundException",
]);

export function isMissing(error: unknown): boolean {
  return missingNames.has(nameOf(error));
}
