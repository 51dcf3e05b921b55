import { PermanentError } from "../../contracts/errors.ts";

/** A tool is missing and could not be installed; the message names it and says what to install. */
export class ToolMissingError extends PermanentError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("TOOL_MISSING", message, options);
  }
}
