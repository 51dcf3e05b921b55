import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleAll,
  type CircuitBreakerPolicy,
} from "cockatiel";
import { RecoverableError } from "../../contracts/errors.ts";
import type { UploaderCommand } from "../../contracts/messages.ts";

/** Consecutive failures that open the breaker, and how long it stays open before one trial. */
const failuresToOpen = 5;
const openSeconds = 30;

/** The uploader's queue does not take messages at the moment: the exchange waits, it does not fail. */
export class UploaderUnavailable extends RecoverableError {}

/** Tells the uploader module which queue to consume, and when to let go of it, through a circuit breaker. */
export class UploaderCoordinator {
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly #breaker: CircuitBreakerPolicy;

  constructor(sqs: SQSClient, queueUrl: string) {
    this.#sqs = sqs;
    this.#queueUrl = queueUrl;
    this.#breaker = circuitBreaker(handleAll, {
      halfOpenAfter: openSeconds * 1000,
      breaker: new ConsecutiveBreaker(failuresToOpen),
    });
  }

  get state(): "closed" | "open" | "half-open" {
    switch (this.#breaker.state) {
      case CircuitState.Closed:
        return "closed";
      case CircuitState.HalfOpen:
        return "half-open";
      case CircuitState.Open:
      case CircuitState.Isolated:
        return "open";
    }
  }

  /** Sends one command. Throws {@link UploaderUnavailable} when it could not be sent or was not tried. */
  async send(command: UploaderCommand): Promise<void> {
    const message = { QueueUrl: this.#queueUrl, MessageBody: JSON.stringify(command) };
    try {
      await this.#breaker.execute(() => this.#sqs.send(new SendMessageCommand(message)));
    } catch (error) {
      const why =
        error instanceof BrokenCircuitError
          ? `${failuresToOpen} sends in a row have failed: none is tried for ${openSeconds} seconds`
          : `the command ${command.kind} could not be sent: ${error instanceof Error ? error.message : String(error)}`;
      throw new UploaderUnavailable("UPLOADER_UNAVAILABLE", why, { cause: error });
    }
  }
}
