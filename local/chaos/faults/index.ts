import type { Fault } from "../scenario.ts";
import { apiErrors } from "./api-errors.ts";
import { deadDatabases, deadOperations, pauses } from "./deaths.ts";
import { deadCopies, slowCopy, unwantedCopies } from "./glue.ts";
import { deliveries, functions } from "./mischief.ts";

/** Every misfortune but the kills of the engine; under each an exchange has to end well. Names as AWS FIS has them, where it has one. */
export const faults: readonly Fault[] = [
  ...apiErrors,
  ...deliveries,
  ...functions,
  ...deadCopies,
  slowCopy,
  ...unwantedCopies,
  ...deadOperations,
  ...deadDatabases,
  ...pauses,
];
