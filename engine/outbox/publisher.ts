import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Logger } from "pino";
import { event, eventAttributes } from "../../contracts/events.ts";
import type { Registry } from "../registry/database.ts";
import { markPublished, putOff, takeDue, type DueMessage } from "../registry/outbox.ts";

export interface PublisherOptions {
  readonly db: Registry;
  readonly sns: SNSClient;
  readonly sqs: SQSClient;
  readonly topicArn: string;
  readonly orchestrationQueueUrl: string;
  readonly pollSeconds: number;
  /** While a message is being sent no other engine takes it for so long; after a crash it is sent again. */
  readonly leaseSeconds: number;
  readonly log: Logger;
}

const batch = 20;

/** Sends what the outbox holds: at least once, in no particular order, until it has gone. */
export class Publisher {
  readonly #options: PublisherOptions;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  #again = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.nudge();
    }, this.#options.pollSeconds * 1000);
    this.nudge();
  }

  /** A message may be due: look now. */
  nudge(): void {
    this.#again = true;
    this.#turn ??= this.#turns().finally(() => {
      this.#turn = undefined;
    });
  }

  /** Sends what is due and ends; what could not be sent stays for the next start. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.nudge();
    await this.#turn;
  }

  async #turns(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        const sent = await this.publishDue();
        if (sent === batch) this.#again = true;
      } catch (error) {
        this.#options.log.error({ err: error }, "the outbox could not be read");
      }
    }
  }

  /** Sends up to one batch; returns how many messages were due. */
  async publishDue(): Promise<number> {
    const due = await takeDue(this.#options.db, batch, this.#options.leaseSeconds);
    await Promise.all(due.map((message) => this.#publish(message)));
    return due.length;
  }

  async #publish(message: DueMessage): Promise<void> {
    const { db, log } = this.#options;
    try {
      await this.#send(message);
      await markPublished(db, message.id);
      log.info({ eventId: message.messageId }, "published");
    } catch (error) {
      log.warn({ eventId: message.messageId, attempts: message.attempts, err: error }, "not published: again later");
      await putOff(db, message.id, Math.min(300, 2 ** message.attempts));
    }
  }

  async #send({ channel, body, delaySeconds }: DueMessage): Promise<void> {
    const { sns, sqs, topicArn, orchestrationQueueUrl } = this.#options;
    if (channel === "orchestration") {
      const message = {
        QueueUrl: orchestrationQueueUrl,
        MessageBody: JSON.stringify(body),
        DelaySeconds: delaySeconds,
      };
      await sqs.send(new SendMessageCommand(message));
      return;
    }
    const told = event.parse(body);
    await sns.send(
      new PublishCommand({
        TopicArn: topicArn,
        Message: JSON.stringify(told),
        MessageAttributes: eventAttributes(told),
      }),
    );
  }
}
