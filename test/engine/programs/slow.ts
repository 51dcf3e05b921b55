import { writeFileSync } from "node:fs";

/** Writes the file that it is told of, then takes a minute unless it is stopped. */
export function exchangeProgram(config: { phase: string }): Promise<Record<string, unknown>> {
  writeFileSync(config.phase, "");
  return new Promise((resolve) => {
    setTimeout(() => {
      resolve({});
    }, 60_000);
  });
}
