import { Retryer, type RetryRule } from "./retrying.ts";
import type { Clients } from "./clients.ts";

/** What one operation on one resource works with. */
export class Context {
  readonly aws: Clients;
  readonly region: string;
  /** The id of a resource that exists although its creation has not ended. */
  createdId: string | undefined;
  readonly #retryer: Retryer;

  constructor(aws: Clients, region: string, retryer: Retryer) {
    this.aws = aws;
    this.region = region;
    this.#retryer = retryer;
  }

  /** Tells that the resource exists from now on, whatever fails later. */
  created(id: string): string {
    this.createdId = id;
    return id;
  }

  /** Tries again while a rule says that the error passes by itself. */
  retry<T>(rules: readonly RetryRule[], attempt: () => Promise<T>): Promise<T> {
    return this.#retryer.retry(rules, attempt);
  }

  /** Asks until there is an answer. `what` words the time-out, e.g. `the mapping to be Enabled`. */
  until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    return this.#retryer.until(what, ask);
  }

  arn(service: string, resource: string, account: string): string {
    return `arn:${partition(this.region)}:${service}:${this.region}:${account}:${resource}`;
  }
}

export function partition(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}
