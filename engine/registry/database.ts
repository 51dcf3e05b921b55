import { CompiledQuery, Kysely, MysqlDialect, sql, type RawBuilder } from "kysely";
import { createPool } from "mysql2";
import type { z } from "zod";
import { PermanentError } from "../../contracts/errors.ts";
import type { DatabaseSecret } from "../../contracts/secrets.ts";
import type { RegistrySchema } from "./schema.ts";

export type Registry = Kysely<RegistrySchema>;

/**
 * The server ends a session that is silent for so long, which frees what it had locked: an engine may be paused in the
 * middle of a transaction, and the others must not wait for it. The pool lets go of idle connections well before.
 */
const silentSeconds = 15;
const idleSeconds = 5;

/** Connects to the registry. The pool replaces connections that the server or the network has dropped. */
export function openRegistry(secret: DatabaseSecret): Registry {
  if (secret.dbname === undefined) {
    throw new PermanentError("INVALID_SECRET", "the registry secret has no dbname: add the registry's schema to it");
  }
  const pool = createPool({
    host: secret.host,
    port: secret.port,
    user: secret.username,
    password: secret.password,
    database: secret.dbname,
    timezone: "Z",
    charset: "utf8mb4",
    connectionLimit: 16,
    // Only a bound below the limit makes the pool look for idle connections.
    maxIdle: 15,
    idleTimeout: idleSeconds * 1000,
    gracefulEnd: true,
    enableKeepAlive: true,
    connectTimeout: 10_000,
  });
  const limitSilence = CompiledQuery.raw(`SET SESSION wait_timeout = ${silentSeconds}`);
  return new Kysely<RegistrySchema>({
    dialect: new MysqlDialect({
      pool,
      onCreateConnection: async (connection) => {
        await connection.executeQuery(limitSilence);
      },
    }),
  });
}

/** The database's clock, in UTC: the one clock that all engines share. */
export const now: RawBuilder<Date> = sql<Date>`utc_timestamp(3)`;

export function nowPlus(seconds: number): RawBuilder<Date> {
  return sql<Date>`utc_timestamp(3) + interval ${Math.round(seconds * 1e6)} microsecond`;
}

/** Reads a JSON column, of MySQL (parsed) or MariaDB (text), through its schema. */
export function fromJson<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  return schema.parse(typeof value === "string" ? JSON.parse(value) : value);
}

export function fromNullableJson<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> | null {
  return value === null ? null : fromJson(schema, value);
}

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ER_DUP_ENTRY";
}
