import { InvalidInputError, RecoverableError } from "../../contracts/errors.ts";

/** The local cloud could not be brought up; the message says which part and where its log is. */
export class CloudStartError extends RecoverableError {}

/** A command needs a running local cloud, and there is none. */
export class NoCloudError extends InvalidInputError {}
