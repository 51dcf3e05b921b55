import type { Message, SQSClient } from "@aws-sdk/client-sqs";
import type { Logger } from "pino";
import { Consumer } from "sqs-consumer";
import { PermanentError } from "../../contracts/errors.ts";
import type { Registry } from "../registry/database.ts";
import { wake } from "../registry/exchanges.ts";
import { hear } from "../registry/inbox.ts";
import { interpret } from "./interpret.ts";

export interface InboxOptions {
  readonly db: Registry;
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly log: Logger;
  /** Called when an exchange has become due. */
  readonly heard: () => void;
}

/** Takes events and re-checks from `exch-orch`: the registry first, then the message is deleted. */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #consumer: Consumer;
  #stopping = false;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#consumer = Consumer.create({
      queueUrl: options.queueUrl,
      sqs: options.sqs,
      batchSize: 10,
      waitTimeSeconds: 20,
      handleMessage: (message) => this.take(message),
    });
    this.#consumer.on("error", (error) => {
      // A stop cuts the poll that is under way.
      if (this.#stopping) return;
      options.log.error({ err: error }, "the orchestration queue could not be read");
    });
    this.#consumer.on("processing_error", (error) => {
      options.log.error({ err: error }, "a message stays in the orchestration queue");
    });
  }

  start(): void {
    this.#consumer.start();
  }

  async stop(): Promise<void> {
    if (!this.#consumer.status.isRunning) return;
    this.#stopping = true;
    await new Promise<void>((stopped) => {
      this.#consumer.once("stopped", () => {
        stopped();
      });
      this.#consumer.stop({ abort: true });
    });
  }

  /**
   * Notes one message. Answers it to have it deleted; throws to leave it to the queue, which moves what nobody
   * understands, or what belongs to no exchange, to where an operator finds it.
   */
  async take(message: Message): Promise<Message> {
    const { db, log, heard } = this.#options;
    const interpreted = interpret(message.Body ?? "");
    if (interpreted.kind === "recheck") {
      await wake(db, interpreted.exchangeId);
      heard();
      return message;
    }
    const { eventId, eventType, exchangeId } = interpreted.heard;
    const result = await hear(db, interpreted.heard);
    if (result === "unknown exchange") {
      throw new PermanentError(
        "UNKNOWN_EXCHANGE",
        `event ${eventId} is about exchange ${exchangeId}, which is unknown`,
      );
    }
    log.info({ exchangeId, eventId, eventType }, result);
    heard();
    return message;
  }
}
