import { join } from "node:path";
import { Config, getStack, RunError } from "@pulumi/pulumi";
import { ExchangerError } from "../contracts/errors.ts";
import { exchangeStackConfig } from "./exchange/config.ts";
import { exchangeProgram } from "./exchange/program.ts";
import { readArtifacts } from "./global/artifacts.ts";
import { parseGlobalConfig } from "./global/config.ts";
import { globalProgram } from "./global/program.ts";

/** Where what the build made lies: in the clone, unless it was built elsewhere (EXCHANGER_ARTIFACTS). */
const artifactsFolder = process.env["EXCHANGER_ARTIFACTS"] ?? join(import.meta.dirname, "..", "dist");

/** What the plain Pulumi CLI runs: the program that the stack's name asks for. */
export default function program(): Record<string, unknown> {
  try {
    return programOf(getStack(), new Config("documentexchanger"));
  } catch (error) {
    // A wrong setting is told in one line; only a fault of ours deserves a stack trace.
    if (error instanceof ExchangerError) throw new RunError(error.message);
    throw error;
  }
}

function programOf(stack: string, config: Config): Record<string, unknown> {
  if (stack.startsWith("global-")) {
    const settings = parseGlobalConfig(config.requireObject("global"), process.env);
    return globalProgram(settings, readArtifacts(artifactsFolder));
  }
  if (stack.startsWith("exchange-")) {
    const settings = config.getObject("exchange");
    if (settings !== undefined) return exchangeProgram(exchangeStackConfig.parse(settings));
    throw new RunError(
      `${stack} is deployed by the engine and has no configuration here: ` +
        "`pulumi stack`, `pulumi refresh` and `pulumi destroy` work without one",
    );
  }
  throw new RunError(`${stack} is no stack of ours: a name begins with global- or exchange-`);
}
