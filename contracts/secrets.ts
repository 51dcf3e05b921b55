import { z } from "zod";

/** A database secret in Secrets Manager, in the shape that RDS gives its own. */
export const databaseSecret = z.object({
  host: z.string().min(1),
  port: z.coerce.number().int().positive(),
  username: z.string().min(1),
  password: z.string().min(1),
  /** The schema to use, for the registry. Case schemas are named after the case instead. */
  dbname: z.string().min(1).optional(),
});
export type DatabaseSecret = z.infer<typeof databaseSecret>;

/** The secret that opens Document Engine. */
export const documentEngineSecret = z.object({ token: z.string().min(1) });
export type DocumentEngineSecret = z.infer<typeof documentEngineSecret>;
