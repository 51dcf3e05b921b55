import { InvalidInputError, PermanentError } from "../../contracts/errors.ts";

/** What the local platform was asked for cannot be done as asked. */
export class PlatformInputError extends InvalidInputError {}

/** A part of the local platform did not come up; the message says where its log is. */
export class PlatformStartError extends PermanentError {}
