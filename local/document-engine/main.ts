import { readFileSync } from "node:fs";
import { pino } from "pino";
import { z } from "zod";
import { InvalidInputError } from "../../contracts/errors.ts";
import { startDocumentEngine } from "./server.ts";

const environment = z.object({
  DOCUMENT_ENGINE_PORT: z.coerce.number().int().nonnegative().default(0),
  DOCUMENT_ENGINE_DIRECTORY: z.string().min(1),
  /** A file with the token, because the environment of a process can be seen by others. */
  DOCUMENT_ENGINE_TOKEN_FILE: z.string().min(1),
  LOG_LEVEL: z.string().default("info"),
});

/** The stand-in as a process of its own. */
async function main(): Promise<void> {
  const parsed = environment.safeParse(process.env);
  if (!parsed.success) throw new InvalidInputError("INVALID_ENVIRONMENT", z.prettifyError(parsed.error));
  const env = parsed.data;
  const logger = pino({ level: env.LOG_LEVEL, base: { service: "document-engine" } });
  const engine = await startDocumentEngine({
    port: env.DOCUMENT_ENGINE_PORT,
    directory: env.DOCUMENT_ENGINE_DIRECTORY,
    token: readFileSync(env.DOCUMENT_ENGINE_TOKEN_FILE, "utf8").trim(),
    logger,
  });
  const stop = () => {
    engine.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, "stopping failed");
        process.exit(1);
      },
    );
  };
  process.once("SIGTERM", stop).once("SIGINT", stop);
  logger.info({ url: engine.url }, "the document engine is running");
}

await main();
