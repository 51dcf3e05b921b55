import { Kysely, MysqlDialect, sql, type RawBuilder } from "kysely";
import { createPool } from "mysql2";
import type { z } from "zod";
import { PermanentError } from "../../contracts/errors.ts";
import type { DatabaseSecret } from "../../contracts/secrets.ts";
import type { RegistrySchema } from "./schema.ts";

export type Registry = Kysely<RegistrySchema>;

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
    enableKeepAlive: true,
    connectTimeout: 10_000,
  });
  return new Kysely<RegistrySchema>({ dialect: new MysqlDialect({ pool }) });
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
