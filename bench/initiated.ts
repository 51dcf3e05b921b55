/**
 * `npm run bench:initiated`: from POST to the arrival of EXCHANGER_INITIATED at a subscriber, and where the time goes.
 * The last line of stdout is one JSON object. `-- --rounds N` for more or fewer than five exchanges.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { SNSClient, SubscribeCommand, UnsubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { event } from "../contracts/events.ts";
import type { ExchangeState } from "../contracts/states.ts";
import { policyDocument } from "../programs/components/policy.ts";
import { topicDelivers } from "../programs/global/queues.ts";
import { median, tenths } from "../local/load/statistics.ts";
import { post } from "../local/load/together.ts";
import type { Client, ExchangeView } from "../local/platform/client.ts";
import type { Platform } from "../local/platform/platform.ts";
import { clientOf, onPlatform, roundsOf, type Bench } from "./on-platform.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const rounds = roundsOf(values.rounds);

/** Seconds of one exchange, by what was waited for. */
interface Spent {
  readonly total: number;
  readonly accept: number;
  readonly admission: number;
  readonly provision: number;
  readonly start: number;
  readonly publish: number;
}

await onPlatform(measure);

async function measure(bench: Bench): Promise<void> {
  const { platform, stage } = bench;
  const client = await clientOf(platform);
  const subscriber = await subscribe(bench);
  const all: Spent[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      const spent = await stage(`Exchange ${round} of ${rounds}`, () => one(bench, client, subscriber, round));
      all.push(spent);
    }
  } finally {
    await subscriber.stop();
  }
  const of = (name: keyof Spent) => tenths(median(all.map((spent) => spent[name])));
  const startOf = { program: await startSeconds(platform, "node"), cli: await startSeconds(platform, "pulumi") };
  const seconds = {
    median: of("total"),
    accept: of("accept"),
    admission: of("admission"),
    provision: of("provision"),
    start: of("start"),
    publish: of("publish"),
  };
  process.stderr.write(
    `Of a provisioning, the program's process takes ${startOf.program} s to start; each run of the CLI ${startOf.cli} s, and there are two.\n`,
  );
  process.stdout.write(`${JSON.stringify({ exchanges: rounds, seconds, startSeconds: startOf })}\n`);
}

async function one({ platform, signal }: Bench, client: Client, subscriber: Subscriber, round: number): Promise<Spent> {
  const { sourceCaseId, destinationCaseId, selection } = platform.cases;
  const posted = Date.now();
  const id = await post(client, {
    sourceCaseId,
    destinationCaseId,
    batchId: `bench-${round}`,
    selection,
    includeNatives: true,
  });
  const answered = Date.now();
  const heard = await subscriber.initiated(id);
  // The next one has the machine to itself.
  const view = await client.follow(id, undefined, signal);
  const seconds = (from: number, to: number) => (to - from) / 1000;
  return {
    total: seconds(posted, heard),
    accept: seconds(posted, answered),
    admission: seconds(answered, entered(view, "PROVISIONING")),
    provision: seconds(entered(view, "PROVISIONING"), entered(view, "STARTING")),
    start: seconds(entered(view, "STARTING"), entered(view, "COPYING_RECORDS")),
    publish: seconds(entered(view, "COPYING_RECORDS"), heard),
  };
}

function entered(view: ExchangeView, state: ExchangeState): number {
  const entry = view.stateHistory.find((each) => each.state === state);
  if (!entry) throw new Error(`exchange ${view.exchangeId} ended ${view.state} and was never ${state}`);
  return entry.at.getTime();
}

interface Subscriber {
  /** When the event of an exchange arrived, in milliseconds. */
  initiated(exchangeId: string): Promise<number>;
  stop(): Promise<void>;
}

/** A queue that hears of every exchange's beginning, as any product round us may have. */
async function subscribe({ platform, signal }: Bench): Promise<Subscriber> {
  const { cloud, outputs } = platform;
  const [sns, sqs] = [new SNSClient(cloud.client("operator")), new SQSClient(cloud.client("operator"))];
  const name = `bench-initiated-${randomBytes(4).toString("hex")}`;
  const arn = `arn:aws:sqs:${cloud.region}:${cloud.accountId}:${name}`;
  const Attributes = { Policy: policyDocument([topicDelivers(arn, outputs.topicArn)]) };
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }));
  const { SubscriptionArn } = await sns.send(
    new SubscribeCommand({
      TopicArn: outputs.topicArn,
      Protocol: "sqs",
      Endpoint: arn,
      Attributes: { RawMessageDelivery: "true", FilterPolicy: JSON.stringify({ eventType: ["EXCHANGER_INITIATED"] }) },
    }),
  );
  return {
    async initiated(exchangeId) {
      for (;;) {
        const { Messages: messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }),
          { abortSignal: signal },
        );
        for (const { Body: body = "", ReceiptHandle } of messages) {
          const at = Date.now();
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
          if (event.parse(JSON.parse(body)).jobId === exchangeId) return at;
        }
      }
    },
    async stop() {
      await sns.send(new UnsubscribeCommand({ SubscriptionArn }));
      await sqs.send(new DeleteQueueCommand({ QueueUrl }));
      sns.destroy();
      sqs.destroy();
    },
  };
}

/** What a process of an operation takes before it does anything: the program's with all that it imports, and the CLI. */
async function startSeconds({ cloud }: Platform, which: "node" | "pulumi"): Promise<number> {
  const imports = ["engine/deployer/child.ts", "programs/exchange/program.ts"]
    .map((path) => `await import(${JSON.stringify(new URL(`../${path}`, import.meta.url).href)});`)
    .join("");
  const command =
    which === "node"
      ? // What is imported expects the arguments of an operation's process, and ends before it waits for the operation.
        [
          ...[process.execPath, "--input-type=module", "--eval", `${imports}process.exit(0)`],
          ...["eval", join(cloud.runDir, "none"), "30"],
        ]
      : ["pulumi", "version"];
  const env = cloud.pulumiEnv("engine");
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const [file = "", ...args] = command;
    times.push((await execa(file, args, { env, stdin: "ignore" })).durationMs / 1000);
  }
  return Math.round(median(times) * 100) / 100;
}
