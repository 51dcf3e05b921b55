import { ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { redeliveryOf, secondsUntilAgain } from "../../processors/shared/feed.ts";
import { connect, startCloudFirst } from "./support.ts";

describe("a message that failed in passing", () => {
  startCloudFirst();

  const of = { maxReceiveCount: 6, retrySeconds: 60 };
  const cases: [receives: number, settings: typeof of, seconds: number | undefined][] = [
    [1, of, 60],
    [2, of, 240],
    [3, of, 900],
    [4, of, 900],
    [5, of, undefined],
    [1, { ...of, maxReceiveCount: 3 }, 60],
    [2, { ...of, maxReceiveCount: 3 }, undefined],
    [1, { ...of, maxReceiveCount: 2 }, undefined],
    [1, { ...of, retrySeconds: 0 }, 0],
  ];
  for (const [receives, settings, seconds] of cases) {
    const when = seconds === undefined ? "when the queue shows it" : `after ${seconds} s`;
    const { maxReceiveCount, retrySeconds } = settings;
    it(`no. ${receives} of ${maxReceiveCount}, ${retrySeconds} s at first: comes again ${when}`, () => {
      expect(secondsUntilAgain(receives, settings)).to.equal(seconds);
    });
  }

  it("is shown again by its queue at the time that was asked for", async () => {
    // Prepare
    const aws = await connect();
    const feed = await aws.feed();
    await aws.sqs.send(new SendMessageCommand({ QueueUrl: feed.queueUrl, MessageBody: "a message" }));
    const receive = async () => (await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl: feed.queueUrl }))).Messages;
    const [first] = (await receive()) ?? [];
    const hidden = await receive();

    // Act
    await redeliveryOf(feed, aws.sqs).comeAgainIn(0, first?.ReceiptHandle ?? "");

    // Assess
    const again = await receive();
    aws.destroy();
    expect([first, hidden, again].flat().map((message) => message?.Body)).to.deep.equal([
      "a message",
      undefined,
      "a message",
    ]);
  });
});
