import { ResourceNotFoundException as NoLogGroup } from "@aws-sdk/client-cloudwatch-logs";
import { NoSuchEntityException } from "@aws-sdk/client-iam";
import { ResourceNotFoundException as NoFunction } from "@aws-sdk/client-lambda";
import { QueueDoesNotExist } from "@aws-sdk/client-sqs";

/** Runs what asks for something by its name; undefined when there is no such thing. */
export async function ifFound<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if ([NoFunction, NoLogGroup, NoSuchEntityException, QueueDoesNotExist].some((kind) => error instanceof kind)) {
      return undefined;
    }
    throw error;
  }
}
