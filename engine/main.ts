/** The engine's process: configuration from the environment, boot, signals. */
import { readConfig } from "./config.ts";
import { startEngine, type Engine } from "./engine.ts";

let stopping = false;

/** The first signal ends gracefully, the second stops the operations under way as well. */
function stopOn(engine: Engine): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      const how = stopping ? "now" : "gracefully";
      stopping = true;
      engine.stop(how).then(
        () => process.exit(0),
        (error: unknown) => {
          report(error);
          process.exit(1);
        },
      );
    });
  }
}

function report(error: unknown): void {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  process.stderr.write(`${text}\n`);
}

try {
  stopOn(await startEngine(readConfig(process.env)));
} catch (error) {
  report(error);
  process.exitCode = 1;
}
