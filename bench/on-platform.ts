/** What benchmarks on the local platform have in common: progress, Ctrl-C, a caller's token, and nothing left running. */
import { createClient, type Client } from "../local/platform/client.ts";
import { PlatformInputError } from "../local/platform/errors.ts";
import { display } from "../local/platform/display.ts";
import { startPlatform, type Platform } from "../local/platform/platform.ts";
import type { Stage } from "../local/platform/stage.ts";
import { explain, onInterrupt } from "../local/platform/terminal.ts";

export interface Bench {
  readonly platform: Platform;
  readonly stage: Stage;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Runs a benchmark; what goes wrong is told, and becomes the exit code. */
export async function onPlatform(
  measure: (bench: Bench) => Promise<void>,
  engineSettings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const stage = display();
  const interrupt = onInterrupt();
  const { signal } = interrupt;
  try {
    const platform = await startPlatform({ stage, signal, engineSettings });
    try {
      await measure({ platform, stage, signal });
    } finally {
      await stage("Stopping everything", () => platform.stop());
    }
  } catch (error) {
    process.exitCode = explain(error, signal);
  }
  interrupt.dispose();
}

/** The HTTP API of an engine, for a caller who may start exchanges. */
export async function clientOf({ issuer, engineUrl }: Platform, url = engineUrl): Promise<Client> {
  const scopes = ["exchange:read", "exchange:write"];
  return createClient(url, await issuer.token({ subject: "bench", scopes, cases: "*" }));
}

/** @throws PlatformInputError INVALID_COUNT */
export function roundsOf(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds > 0) return rounds;
  throw new PlatformInputError("INVALID_COUNT", `--rounds ${text} is no positive whole number`);
}
