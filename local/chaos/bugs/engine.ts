import type { Bug } from "./bug.ts";

/** Mistakes in the registry, the decisions, the outbox and the API. */
export const engineBugs: readonly Bug[] = [
  {
    name: "publish before commit",
    breaks: "events leave before the state that they tell of is written",
    edits: [
      {
        file: "engine/lifecycle/act.ts",
        find: "  await lease.move({\n",
        replace: `  for (const { body, channel } of messages) {
    if (channel !== "topic") continue;
    const { PublishCommand } = await import("@aws-sdk/client-sns");
    const { eventAttributes } = await import("../../contracts/events.ts");
    const told = { Message: JSON.stringify(body), MessageAttributes: eventAttributes(body as never) };
    await (hands.aws as never as { sns: { send: (command: unknown) => Promise<unknown> } }).sns.send(
      new PublishCommand({ TopicArn: hands.global.topicArn, ...told }),
    );
  }
  await lease.move({
`,
      },
      {
        file: "engine/lifecycle/act.ts",
        find: "    messages,\n",
        replace: `    messages: messages.filter(({ channel }) => channel !== "topic"),\n`,
      },
    ],
    row: "kill before sql.update exchanges(state=FINISHED) + insert transitions(to_state=FINISHED)#1",
    by: ["I1"],
    shows: /contents under one id/,
  },
  {
    name: "marked as published before it is sent",
    breaks: "an event is lost when the engine dies between the two",
    edits: [
      {
        file: "engine/outbox/publisher.ts",
        find: "      await this.#send(message);\n      await markPublished(db, message.id);\n",
        replace: "      await markPublished(db, message.id);\n      await this.#send(message);\n",
      },
    ],
    row: "kill before sns.Publish(EXCHANGER_FINISHED)#1",
    by: ["I1"],
    shows: /EXCHANGER_FINISHED was never published/,
  },
  {
    name: "an event sent again has another id",
    breaks: "consumers take a repeated event for a new one",
    edits: [
      {
        file: "engine/outbox/publisher.ts",
        find: "    const told = event.parse(body);\n",
        replace: "    const told = { ...event.parse(body), eventId: crypto.randomUUID() };\n",
      },
    ],
    row: "kill after sns.Publish(EXCHANGER_INITIATED)#1",
    by: ["I1"],
    shows: /was published under 2 ids/,
  },
  {
    name: "inbox does not know a duplicate",
    breaks: "an event that comes twice is refused for ever",
    edits: [
      {
        file: "engine/registry/inbox.ts",
        find: `    if (isDuplicateKey(error)) return "heard before";\n`,
        replace: "",
      },
    ],
    row: "fault duplicate deliveries",
    by: ["I4"],
    shows: /queue (orchestration|parked) still holds/,
  },
  {
    name: "idempotency key ignored",
    breaks: "a request that is repeated makes another exchange",
    edits: [
      {
        file: "engine/http/keys.ts",
        find: `return digest(["key", subject, header]);`,
        replace: `return digest(["key", subject, header, Math.random()]);`,
      },
    ],
    row: "kill after sql.insert exchanges(state=ACCEPTED) + insert transitions(to_state=ACCEPTED)#1",
    by: ["I1"],
    shows: /one Idempotency-Key made 2 exchanges/,
  },
  {
    name: "writes without a lease",
    breaks: "an engine that was stopped goes on with an exchange that another one has taken over",
    edits: [
      {
        file: "engine/registry/lease.ts",
        find: `      .where("lease_owner", "=", this.#owner)\n      .where("lease_until", ">", now);\n    if (state !== undefined) query = query.where("state", "=", state);\n`,
        replace: ";\n",
      },
      {
        file: "engine/registry/lease.ts",
        find: "    if (performance.now() >= this.#until) throw new LeaseLost(this.exchangeId);\n",
        replace: "",
      },
    ],
    row: "fault paused engine while the copy's report is read",
    by: ["I1"],
    shows: /its history has a gap/,
  },
  {
    name: "cancel does not stop the execution",
    breaks: "the record copy of a cancelled exchange runs on",
    edits: [
      {
        file: "engine/exchange/wind-down.ts",
        find: "    stopCopy(observed, settings) ??\n",
        replace: "",
      },
    ],
    row: "fault record copy stands still & cancel after sql.update exchanges(execution_arn)#1",
    by: ["I5", "I7"],
    shows: /Glue run|running execution|records are/,
  },
  {
    name: "done is judged by documents",
    breaks: "the ledger is taken for complete while files of known documents are missing",
    edits: [
      {
        file: "engine/exchange/observed.ts",
        find: "      expected: expected[stage],\n",
        replace: `      expected: stage === "copy" ? expected.documents : 1,\n`,
      },
    ],
    row: "fault aws:lambda:invocation-add-delay of the ledger",
    by: ["I4", "I8"],
    shows: /the API says of the (files|documents)|is missing in stage/,
  },
  {
    name: "drain does not wait for what is in flight",
    breaks: "the stack is destroyed under a function that still works",
    edits: [
      {
        file: "engine/exchange/drain.ts",
        find: "depth.visible + depth.inFlight + depth.delayed > 0",
        replace: "depth.visible + depth.delayed > 0",
      },
    ],
    row: "fault aws:lambda:invocation-add-delay past the deadline",
    by: ["I4"],
    shows: /is reported as failed by stage copy|has failed in stage/,
  },
  {
    name: "missing documents are counted as copied",
    breaks: "the API says that everything arrived",
    edits: [
      {
        file: "engine/http/view.ts",
        find: "    copied: known - notFound - failed,\n    notFound,\n",
        replace: "    copied: known - failed,\n    notFound: 0,\n",
      },
    ],
    row: "clean",
    by: ["I8"],
    shows: /the API says of the documents/,
  },
  {
    name: "leftovers are not swept",
    breaks: "what Pulumi's state does not know stays",
    edits: [
      {
        file: "engine/exchange/decide.ts",
        find: "  if (leftovers.length > 0) {\n",
        replace: "  if (leftovers.length > 1000) {\n",
      },
    ],
    row: "kill after iam.CreateRole(s3_copy_role)#1 of the host",
    by: ["I5"],
    shows: /left over: role/,
  },
  {
    name: "mappings are not swept",
    breaks: "an event source mapping that Pulumi's state does not know goes on polling",
    edits: [
      {
        file: "engine/lifecycle/sweep.ts",
        find: "        return exists(() => this.#aws.lambda.send(new GetEventSourceMappingCommand({ UUID: name })));\n",
        replace: "        return Promise.resolve(false);\n",
      },
      { file: "engine/lifecycle/list-by-name.ts", find: "found.push(arn);", replace: "continue;" },
    ],
    row: "kill after lambda.CreateEventSourceMapping(s3_copy_lambda)#1 of the host",
    by: ["I5"],
    shows: /left over: event source mapping/,
  },
];
