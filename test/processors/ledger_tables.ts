/** A database with the tables that the ledger and status processors write. */
import { randomUUID } from "node:crypto";
import { CreateSecretCommand, SecretsManagerClient, UpdateSecretCommand } from "@aws-sdk/client-secrets-manager";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { createDatabase } from "../../processors/shared/database.ts";
import type { Database } from "../../processors/shared/database.ts";
import { databaseSecretReader } from "../../processors/shared/secret.ts";
import { sharedCloud } from "../support/cloud.ts";
import { required } from "./support.ts";

const tables = [
  `CREATE TABLE exchange_documents (
    exchange_id CHAR(36) NOT NULL, stage VARCHAR(16) NOT NULL, unit_id VARCHAR(20) NOT NULL,
    document_id VARCHAR(20) NOT NULL, state VARCHAR(16) NOT NULL, event_id VARCHAR(200) NOT NULL, error JSON NULL,
    redactions_fetched INT UNSIGNED NULL, redactions_branded INT UNSIGNED NULL, redactions_layered INT UNSIGNED NULL,
    redactions_left INT UNSIGNED NULL, removed JSON NULL,
    occurred_at DATETIME(3) NOT NULL, PRIMARY KEY (exchange_id, stage, unit_id))`,
  `CREATE TABLE exchange_statuses (
    exchange_id CHAR(36) NOT NULL PRIMARY KEY, status VARCHAR(32) NOT NULL, event_id VARCHAR(200) NOT NULL,
    detail JSON NULL, occurred_at DATETIME(3) NOT NULL)`,
];

export interface LedgerDatabase {
  database: Database;
  /** As root: to look at rows, and to do harm. */
  admin: Connection;
  secrets: SecretsManagerClient;
  secretArn: string;
  user: string;
  /** How often the secret was read. */
  reads: () => number;
  rows: (table: string) => Promise<Record<string, unknown>[]>;
  /** Gives the database user a new password, and writes it into the secret. */
  rotate: () => Promise<void>;
  end: () => Promise<void>;
}

export async function openLedger(): Promise<LedgerDatabase> {
  const cloud = await sharedCloud();
  const { host, port } = cloud.database;
  const name = `ledger_${randomUUID().replaceAll("-", "")}`;
  const admin = await cloud.database.admin();
  await admin.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  await admin.query(`USE ${name}`);
  for (const table of tables) await admin.query(table);
  const user = name.slice(0, 30);
  const credentials = await cloud.database.createUser(user, [`SELECT, INSERT, UPDATE ON ${name}.*`]);
  const secretText = (password: string) => JSON.stringify({ host, port, username: user, password, dbname: name });

  const secrets = new SecretsManagerClient(cloud.client("operator"));
  const { ARN } = await secrets.send(
    new CreateSecretCommand({ Name: name, SecretString: secretText(credentials.password) }),
  );
  const secretArn = required(ARN);
  let reads = 0;
  secrets.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName === "GetSecretValueCommand") reads += 1;
        return next(args);
      },
    { step: "initialize" },
  );
  const database = createDatabase(databaseSecretReader(secrets, secretArn));

  return {
    database,
    admin,
    secrets,
    secretArn,
    user,
    reads: () => reads,
    rows: async (table) => {
      const [rows] = await admin.query<RowDataPacket[]>(
        `SELECT *, DATE_FORMAT(occurred_at, '%Y-%m-%dT%H:%i:%s.%f') AS occurred_at FROM ${table} ORDER BY 1, 2, 3`,
      );
      return rows.map((row) => ({ ...row }));
    },
    rotate: async () => {
      const password = randomUUID();
      await admin.query("ALTER USER ?@'%' IDENTIFIED BY ?", [user, password]);
      await secrets.send(new UpdateSecretCommand({ SecretId: secretArn, SecretString: secretText(password) }));
    },
    end: async () => {
      await database.end();
      secrets.destroy();
      await admin.query(`DROP DATABASE ${name}`);
      await admin.query("DROP USER ?@'%'", [user]);
      await admin.end();
    },
  };
}
