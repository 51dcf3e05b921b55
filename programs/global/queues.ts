import * as sns from "@pulumi/aws/sns/index.js";
import { all } from "@pulumi/pulumi";
import { documentEvents, orchestrationEvents, statusEvents, type EventType } from "../../contracts/events.ts";
import { resourcePrefix } from "../../contracts/names.ts";
import type { Statement } from "../components/policy.ts";
import { visibilityFor, WorkQueue } from "../components/work-queue.ts";
import type { Scope } from "./scope.ts";

export interface GlobalQueues {
  orchestration: WorkQueue;
  status: WorkQueue;
  ledger: WorkQueue;
  deadLetter: WorkQueue;
  parked: WorkQueue;
}

/**
 * The long-lived queues. `dlq` takes what the processors of exchanges gave up and is worked off by the dead-letter
 * Lambda. What no consumer of a long-lived queue could handle, the dead-letter Lambda included, goes to `parked`
 * instead, so that it is not fed with its own failures.
 */
export function makeQueues(scope: Scope, topic: sns.Topic): GlobalQueues {
  const { config, options } = scope;
  const { lambdas, requireTls } = config;
  const parked = new WorkQueue(`${resourcePrefix}parked`, { visibilityTimeoutSeconds: 30, requireTls }, options);
  const redrive = { deadLetterArn: parked.queue.arn, maxReceiveCount: config.maxReceiveCount };

  const fromTopic = (name: string, visibilityTimeoutSeconds: number, events: readonly EventType[]) => {
    const queue = new WorkQueue(
      `${resourcePrefix}${name}`,
      {
        visibilityTimeoutSeconds,
        redrive,
        requireTls,
        grants: (queueArn) => all([queueArn, topic.arn]).apply(([arn, topicArn]) => [topicDelivers(arn, topicArn)]),
      },
      options,
    );
    new sns.TopicSubscription(
      `${resourcePrefix}${name}`,
      {
        topic: topic.arn,
        protocol: "sqs",
        endpoint: queue.queue.arn,
        rawMessageDelivery: true,
        filterPolicy: JSON.stringify({ eventType: events }),
      },
      options,
    );
    return queue;
  };

  return {
    orchestration: fromTopic("orch", config.engine.visibilityTimeoutSeconds, orchestrationEvents),
    status: fromTopic("status", visibilityFor(lambdas.status_update), statusEvents),
    ledger: fromTopic("ledger", visibilityFor(lambdas.ledger), documentEvents),
    deadLetter: new WorkQueue(
      `${resourcePrefix}dlq`,
      {
        visibilityTimeoutSeconds: visibilityFor(lambdas.dead_letter),
        // Nobody promises that the count of receives begins anew where SQS lays a message that it moves here itself.
        redrive: { ...redrive, maxReceiveCount: 2 * config.maxReceiveCount },
        requireTls,
      },
      options,
    ),
    parked,
  };
}

/** Only our topic may send by the queue's own policy; nobody else is named. */
export function topicDelivers(queueArn: string, topicArn: string): Statement {
  return {
    Sid: "TopicDelivers",
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: queueArn,
    Condition: { ArnEquals: { "aws:SourceArn": topicArn } },
  };
}
