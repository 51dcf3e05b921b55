import { expect } from "chai";
import { event, eventAttributes, failureDetail, payloadDetail } from "../../contracts/events.ts";
import { executionInput, payloadInput } from "../../contracts/execution.ts";
import { definition } from "../../programs/global/definition.ts";
import { parseGlobalConfig } from "../../programs/global/config.ts";
import { exchangeConfig, globalSettings, outputs } from "./fixtures.ts";

const config = parseGlobalConfig(globalSettings, {});
const machine = definition({
  glueJobName: "doc_exch_record_copy-1a2b3c4",
  payloadFunctionArn: "arn:aws:lambda:us-east-1:111122223333:function:doc_exch_payload-1a2b3c4",
  topicArn: outputs.topicArn,
  config,
});
const { exchange } = exchangeConfig;
const input = executionInput.parse({
  exchange,
  glueArguments: { "--exchange_id": exchange.exchangeId },
  dataBucket: "doc-exch-data",
  manifestPrefix: `exchanges/${exchange.exchangeId}/manifest/`,
  caseBucket: "case-files",
  annotations: null,
  queues: { s3_copy: "https://sqs.us-east-1.amazonaws.com/111122223333/doc_exch_s3_copy_queue_22_b1-1a2b3c4" },
});

/** The parameters of a state with its paths filled in, as far as the definition uses them. */
function filled(parameters: unknown, data: object, context: object): unknown {
  if (typeof parameters !== "object" || parameters === null) return parameters;
  return Object.fromEntries(
    Object.entries(parameters as Record<string, unknown>).map(([name, value]) =>
      name.endsWith(".$")
        ? [name.slice(0, -2), valueOf(String(value), data, context)]
        : [name, filled(value, data, context)],
    ),
  );
}

function valueOf(expression: string, data: object, context: object): unknown {
  const format = /^States\.Format\('([^']*)', (\$[^)]*)\)$/.exec(expression);
  if (format) return format[1]!.replace("{}", String(valueOf(format[2]!, data, context)));
  const [root, ...path] = expression.split(".");
  const start: unknown = root === "$$" ? context : data;
  return path.reduce((value, name) => (value as Record<string, unknown>)[name], start);
}

const context = { State: { EnteredTime: "2026-01-02T03:04:05.678Z" } };
const publications = Object.entries(machine.States).filter(([name]) => name.startsWith("Publish"));

describe("the state machine's definition", () => {
  it("copies records, then constructs the payload, and every way ends with its event", () => {
    // Act
    const ways = Object.entries(machine.States).map(([name, state]) => {
      const catches = "Catch" in state ? state.Catch.map(({ Next }) => Next) : [];
      const choices = "Choices" in state ? [...state.Choices.map(({ Next }) => Next), state.Default] : [];
      return [name, ["Next" in state ? state.Next : [], catches, choices].flat()];
    });

    // Assess
    expect(machine.StartAt).to.equal("RunGlueJob");
    expect(Object.fromEntries(ways)).to.deep.equal({
      RunGlueJob: ["PublishDbCopyFinished", "PublishGlueJobFailed"],
      PublishDbCopyFinished: ["ListParts"],
      ListParts: ["AreTherePartsThatFit", "PublishPayloadConstructionFailed"],
      AreTherePartsThatFit: ["TooManyParts", "ConstructPayload", "NoParts"],
      TooManyParts: ["PublishPayloadConstructionFailed"],
      NoParts: ["PublishPayloadConstructionFailed"],
      ConstructPayload: ["PublishPayloadConstructionFinished", "PublishPayloadConstructionFailed"],
      PublishPayloadConstructionFinished: ["Done"],
      Done: [],
      PublishGlueJobFailed: ["Failed"],
      PublishPayloadConstructionFailed: ["Failed"],
      Failed: [],
    });
  });

  it("runs the Glue job to its end, three times more when it fails, and waits its turn when too many run", () => {
    expect(machine.States.RunGlueJob).to.deep.equal({
      Type: "Task",
      Resource: "arn:aws:states:::glue:startJobRun.sync",
      Parameters: { JobName: "doc_exch_record_copy-1a2b3c4", "Arguments.$": "$.glueArguments" },
      ResultPath: null,
      Retry: [
        {
          ErrorEquals: ["Glue.ConcurrentRunsExceededException"],
          IntervalSeconds: 30,
          MaxAttempts: 100,
          BackoffRate: 1.5,
          MaxDelaySeconds: 300,
        },
        { ErrorEquals: ["States.ALL"], IntervalSeconds: 30, MaxAttempts: 3, BackoffRate: 2 },
      ],
      Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: "PublishGlueJobFailed" }],
      Next: "PublishDbCopyFinished",
    });
  });

  it("gives the payload Lambda one part of the manifest", () => {
    // Prepare
    const key = `${input.manifestPrefix}part-00000.jsonl`;

    // Act
    const given = filled(machine.States.ConstructPayload.ItemSelector, input, {
      Map: { Item: { Value: { Key: key } } },
    });

    // Assess
    const { dataBucket, caseBucket, annotations, queues } = input;
    expect(payloadInput.parse(given)).to.deep.equal({
      exchange,
      dataBucket,
      partKey: key,
      caseBucket,
      annotations,
      queues,
    });
  });

  for (const [name, state] of publications) {
    it(`${name} gives an event of the contracts with its attributes`, () => {
      // Prepare
      const { Parameters } = state as { Parameters: { Message: unknown; MessageAttributes: unknown } };
      const data = {
        ...input,
        failure: { Error: "States.TaskFailed", Cause: "no such label" },
        parts: [{ part: "part-00000.jsonl", documents: 2, copy: 3, upload: 2 }],
      };

      // Act
      const message = event.parse(filled(Parameters.Message, data, context));
      const attributes = filled(Parameters.MessageAttributes, data, context);

      // Assess
      expect(attributes).to.deep.equal(eventAttributes(message));
      expect({ ...message, detail: null }).to.deep.equal({
        eventId: `${exchange.exchangeId}:${message.eventType.toLowerCase().replaceAll("_", "-")}`,
        source: "state_machine",
        eventType: message.eventType,
        status: name.endsWith("Failed") ? "ERROR" : "SUCCESS",
        jobId: exchange.exchangeId,
        caseId: 22,
        sourceCaseId: 11,
        batchId: "b1",
        timestamp: "2026-01-02T03:04:05.678Z",
        detail: null,
      });
      if (name.endsWith("Failed")) {
        expect(failureDetail.parse(message.detail)).to.deep.equal({
          error: "States.TaskFailed",
          cause: "no such label",
        });
      }
      if (message.eventType === "PAYLOAD_CONSTRUCTION_FINISHED") {
        expect(payloadDetail.parse(message.detail)).to.deep.equal({ parts: data.parts });
      }
    });
  }
});
