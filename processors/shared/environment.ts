import { z } from "zod";
import { InvalidInputError } from "../../contracts/errors.ts";

/**
 * Reads a processor's variables, once, at cold start.
 *
 * @throws InvalidInputError that names every variable that is missing or malformed, never a value.
 */
export function readEnvironment<Shape extends z.ZodType>(
  shape: Shape,
  variables: Record<string, string | undefined> = process.env,
): z.output<Shape> {
  const read = shape.safeParse(variables);
  if (read.success) return read.data;
  const faults = read.error.issues.map(
    ({ path, message }) => `${path.join(".")} (${variables[String(path[0])] === undefined ? "not set" : message})`,
  );
  throw new InvalidInputError("INVALID_ENVIRONMENT", `set the environment variables ${faults.join(", ")}`);
}

/** What every processor that calls Document Engine is told. */
export const documentEngineSettings = {
  DOCUMENT_ENGINE_URL: z.url(),
  DOCUMENT_ENGINE_SECRET_ARN: z.string().min(1),
};
