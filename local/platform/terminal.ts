import { ExchangerError } from "../../contracts/errors.ts";

/** Turns the user's Ctrl-C into an abort signal, so that what runs is stopped in order; the second one leaves at once. */
export function onInterrupt(): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write("\nStopping everything; press Ctrl-C again to leave at once.\n");
    controller.abort();
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  return { signal: controller.signal, dispose: () => void process.off("SIGINT", stop).off("SIGTERM", stop) };
}

/** Says on stderr what went wrong, and returns the exit code for it. */
export function explain(error: unknown, signal: AbortSignal): number {
  if (signal.aborted) return 130;
  const text = error instanceof ExchangerError ? `${error.code}: ${error.message}` : errorText(error);
  process.stderr.write(`${text}\n`);
  return 1;
}

function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && String(error.code).startsWith("ERR_PARSE_ARGS")) return `${error.message} (see --help)`;
  return error.stack ?? error.message;
}
