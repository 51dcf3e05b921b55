import { ExponentialBackoff, handleWhen, retry } from "cockatiel";
import mysql from "mysql2/promise";
import type { Pool } from "mysql2/promise";
import { ExchangerError, RecoverableError } from "../../contracts/errors.ts";
import type { DatabaseSecret } from "../../contracts/secrets.ts";
import type { SecretReader } from "./secret.ts";

/** A database for statements that may be repeated: one whose outcome was lost with its connection is run again. */
export interface Database {
  /**
   * @throws RecoverableError DATABASE_UNREACHABLE, DATABASE_LOGIN_REFUSED, DATABASE_BUSY (locks), or STATEMENT_REFUSED
   *   when the server does not take the statement or its values
   */
  run: (statement: string, values: unknown[]) => Promise<void>;
  end: () => Promise<void>;
}

const lockConflicts = new Set(["ER_LOCK_DEADLOCK", "ER_LOCK_WAIT_TIMEOUT"]);
const loginRefusals = new Set(["ER_ACCESS_DENIED_ERROR", "ER_DBACCESS_DENIED_ERROR"]);

/** Faults of this connection rather than of the statement, besides those that the client calls fatal. */
const connectionFaults = new Set([
  "ER_SERVER_SHUTDOWN",
  "ER_CONNECTION_KILLED",
  "ER_CLIENT_INTERACTION_TIMEOUT",
  "ER_CON_COUNT_ERROR",
  // After a failover the old writer is still connected, but only reads.
  "ER_OPTION_PREVENTS_STATEMENT",
]);

/** A bystander's transaction was preferred: ours was rolled back whole and is run again. */
const untilUnlocked = retry(
  handleWhen((error) => lockConflicts.has(faultOf(error).code)),
  { maxAttempts: 4, backoff: new ExponentialBackoff({ initialDelay: 50, maxDelay: 1_000 }) },
);

/**
 * Connects when first used. Connections that a server or proxy dropped while the Lambda slept are noticed by use:
 * then the pool is made anew and the statement runs once more; a refused login reads the secret anew as well, for
 * passwords are rotated.
 */
export function createDatabase(secret: SecretReader<DatabaseSecret>): Database {
  let opened: Promise<Pool> | undefined;

  const retire = async (pool: Promise<Pool>) => {
    if (opened === pool) opened = undefined;
    await pool.then((failed) => failed.end()).catch(() => undefined);
  };

  const attempt = async (statement: string, values: unknown[], mayReconnect: boolean): Promise<void> => {
    const pool = (opened ??= secret.read().then(openPool));
    const usable = await pool.catch(async (error: unknown) => {
      await retire(pool);
      throw error;
    });
    try {
      await usable.query(statement, values);
    } catch (error) {
      const { code, fatal } = faultOf(error);
      const refused = loginRefusals.has(code);
      if (refused) secret.forget();
      if (refused || fatal || connectionFaults.has(code)) {
        await retire(pool);
        if (mayReconnect) return attempt(statement, values, false);
        const as = refused ? "DATABASE_LOGIN_REFUSED" : "DATABASE_UNREACHABLE";
        throw new RecoverableError(as, `the database cannot be used (${code})`, { cause: error });
      }
      throw error;
    }
  };

  return {
    run: (statement, values) =>
      untilUnlocked
        .execute(() => attempt(statement, values, true))
        .catch((error: unknown) => {
          const { code } = faultOf(error);
          if (code === "" || error instanceof ExchangerError) throw error;
          const as = lockConflicts.has(code) ? "DATABASE_BUSY" : "STATEMENT_REFUSED";
          throw new RecoverableError(as, `the database answered ${code}`, { cause: error });
        }),
    end: async () => {
      if (opened) await retire(opened);
    },
  };
}

function openPool({ host, port, username, password, dbname }: DatabaseSecret): Pool {
  return mysql.createPool({
    host,
    port,
    user: username,
    password,
    ...(dbname !== undefined && { database: dbname }),
    // A Lambda works on one batch at a time; the number of Lambdas is what multiplies.
    connectionLimit: 2,
    connectTimeout: 5_000,
    enableKeepAlive: true,
    idleTimeout: 60_000,
    timezone: "Z",
    charset: "utf8mb4",
  });
}

function faultOf(thrown: unknown): { code: string; fatal: boolean } {
  if (!(thrown instanceof Error)) return { code: "", fatal: false };
  const { code, fatal }: { code?: unknown; fatal?: unknown } = thrown as Error & { code?: unknown; fatal?: unknown };
  return { code: typeof code === "string" ? code : "", fatal: fatal === true };
}
