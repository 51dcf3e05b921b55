import type { EventType } from "../../contracts/events.ts";
import type { GlobalConfig, Retry } from "./config.ts";

export interface DefinitionArgs {
  glueJobName: string;
  payloadFunctionArn: string;
  topicArn: string;
  config: Pick<GlobalConfig, "recordCopy" | "payload">;
}

/**
 * The state machine in Amazon States Language: copy the records, then turn every part of the manifest into messages,
 * and publish how each of the two ended. Its input is `executionInput`; the events are those of the contracts.
 */
export function definition({ glueJobName, payloadFunctionArn, topicArn, config }: DefinitionArgs) {
  const caught = (next: string) => [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: next }];
  const failure = { "error.$": "$.failure.Error", "cause.$": "$.failure.Cause" };

  return {
    Comment: "Copies the records of one exchange and constructs its payload",
    StartAt: "RunGlueJob",
    States: {
      RunGlueJob: {
        Type: "Task",
        Resource: "arn:aws:states:::glue:startJobRun.sync",
        Parameters: { JobName: glueJobName, "Arguments.$": "$.glueArguments" },
        ResultPath: null,
        Retry: [
          retrier(["Glue.ConcurrentRunsExceededException"], config.recordCopy.queueRetry),
          retrier(["States.ALL"], config.recordCopy.retry),
        ],
        Catch: caught("PublishGlueJobFailed"),
        Next: "PublishDbCopyFinished",
      },
      PublishDbCopyFinished: publish(topicArn, {
        eventType: "DB_COPY_FINISHED",
        status: "SUCCESS",
        detail: { "manifestPrefix.$": "$.manifestPrefix" },
        next: "ListParts",
      }),
      ListParts: {
        Type: "Task",
        Resource: "arn:aws:states:::aws-sdk:s3:listObjectsV2",
        Parameters: {
          "Bucket.$": "$.dataBucket",
          "Prefix.$": "$.manifestPrefix",
          MaxKeys: config.payload.maximumParts,
        },
        ResultPath: "$.listing",
        Retry: [retrier(["States.ALL"], config.payload.retry)],
        Catch: caught("PublishPayloadConstructionFailed"),
        Next: "AreTherePartsThatFit",
      },
      AreTherePartsThatFit: {
        Type: "Choice",
        Choices: [
          {
            And: [
              { Variable: "$.listing.IsTruncated", IsPresent: true },
              { Variable: "$.listing.IsTruncated", BooleanEquals: true },
            ],
            Next: "TooManyParts",
          },
          { Variable: "$.listing.Contents[0]", IsPresent: true, Next: "ConstructPayload" },
        ],
        Default: "NoParts",
      },
      TooManyParts: {
        Type: "Pass",
        Result: {
          Error: "MANIFEST_TOO_LARGE",
          Cause: `the manifest has more than ${config.payload.maximumParts} parts: raise glue.manifestPartSize`,
        },
        ResultPath: "$.failure",
        Next: "PublishPayloadConstructionFailed",
      },
      NoParts: {
        Type: "Pass",
        Result: {
          Error: "MANIFEST_EMPTY",
          Cause: "the record copy wrote no part of the manifest: no document was found",
        },
        ResultPath: "$.failure",
        Next: "PublishPayloadConstructionFailed",
      },
      ConstructPayload: {
        Type: "Map",
        ItemsPath: "$.listing.Contents",
        ItemSelector: {
          "exchange.$": "$.exchange",
          "dataBucket.$": "$.dataBucket",
          "partKey.$": "$$.Map.Item.Value.Key",
          "caseBucket.$": "$.caseBucket",
          "annotations.$": "$.annotations",
          "queues.$": "$.queues",
        },
        MaxConcurrency: config.payload.concurrency,
        ItemProcessor: {
          ProcessorConfig: { Mode: "INLINE" },
          StartAt: "ConstructPart",
          States: {
            ConstructPart: {
              Type: "Task",
              Resource: "arn:aws:states:::lambda:invoke",
              Parameters: { FunctionName: payloadFunctionArn, "Payload.$": "$" },
              OutputPath: "$.Payload",
              Retry: [
                // Trying again cannot help these; a part that is sent twice does no harm, so all else is tried again.
                { ErrorEquals: ["PermanentError", "InvalidInputError"], MaxAttempts: 0 },
                retrier(["States.ALL"], config.payload.retry),
              ],
              End: true,
            },
          },
        },
        ResultPath: "$.parts",
        Catch: caught("PublishPayloadConstructionFailed"),
        Next: "PublishPayloadConstructionFinished",
      },
      PublishPayloadConstructionFinished: publish(topicArn, {
        eventType: "PAYLOAD_CONSTRUCTION_FINISHED",
        status: "SUCCESS",
        detail: { "parts.$": "$.parts" },
        next: "Done",
      }),
      Done: { Type: "Succeed" },
      PublishGlueJobFailed: publish(topicArn, {
        eventType: "GLUE_JOB_FAILED",
        status: "ERROR",
        detail: failure,
        next: "Failed",
      }),
      PublishPayloadConstructionFailed: publish(topicArn, {
        eventType: "PAYLOAD_CONSTRUCTION_FAILED",
        status: "ERROR",
        detail: failure,
        next: "Failed",
      }),
      Failed: { Type: "Fail", ErrorPath: "$.failure.Error", CausePath: "$.failure.Cause" },
    },
  };
}

function retrier(errors: string[], { attempts, intervalSeconds, backoffRate, maxDelaySeconds }: Retry) {
  return {
    ErrorEquals: errors,
    IntervalSeconds: intervalSeconds,
    MaxAttempts: attempts,
    BackoffRate: backoffRate,
    ...(maxDelaySeconds !== undefined && { MaxDelaySeconds: maxDelaySeconds }),
  };
}

/** A step that publishes one event of the exchange; the same exchange and type give the same event id for good. */
function publish(
  topicArn: string,
  of: { eventType: EventType; status: "SUCCESS" | "ERROR"; detail: Record<string, string>; next: string },
) {
  const suffix = of.eventType.toLowerCase().replaceAll("_", "-");
  return {
    Type: "Task",
    Resource: "arn:aws:states:::sns:publish",
    Parameters: {
      TopicArn: topicArn,
      Message: {
        "eventId.$": `States.Format('{}:${suffix}', $.exchange.exchangeId)`,
        source: "state_machine",
        eventType: of.eventType,
        status: of.status,
        "jobId.$": "$.exchange.exchangeId",
        "caseId.$": "$.exchange.caseId",
        "sourceCaseId.$": "$.exchange.sourceCaseId",
        "batchId.$": "$.exchange.batchId",
        "timestamp.$": "$$.State.EnteredTime",
        detail: of.detail,
      },
      MessageAttributes: {
        eventType: { DataType: "String", StringValue: of.eventType },
        caseId: { DataType: "String", "StringValue.$": "States.Format('{}', $.exchange.caseId)" },
        batchId: { DataType: "String", "StringValue.$": "$.exchange.batchId" },
        jobId: { DataType: "String", "StringValue.$": "$.exchange.exchangeId" },
      },
    },
    ResultPath: null,
    Retry: [{ ErrorEquals: ["States.ALL"], IntervalSeconds: 2, MaxAttempts: 5, BackoffRate: 2 }],
    Next: of.next,
  };
}
