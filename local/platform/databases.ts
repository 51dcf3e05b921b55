import { readFile } from "node:fs/promises";
import { PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { DatabaseSecret } from "../../contracts/secrets.ts";
import { ledgerTable, statusTable } from "../../contracts/ledger.ts";
import { openRegistry } from "../../engine/registry/database.ts";
import { migrate } from "../../engine/registry/migrations/index.ts";
import type { GlobalOutputs } from "../../programs/global/outputs.ts";
import type { Cloud } from "../cloud/cloud.ts";

const registrySchema = "documentexchanger";

/** One user for each purpose, with just the rights that it needs. */
export interface Logins {
  readonly registry: DatabaseSecret;
  readonly ledger: DatabaseSecret;
  readonly caseReader: DatabaseSecret;
  readonly recordCopy: DatabaseSecret;
  readonly searchText: DatabaseSecret;
}

/** What a database administrator does once per environment. */
export async function makeLogins({ database }: Cloud, caseSchemaPrefix: string): Promise<Logins> {
  const admin = await database.admin();
  try {
    await admin.query("CREATE DATABASE ?? CHARACTER SET utf8mb4", [registrySchema]);
  } finally {
    await admin.end();
  }
  const { host, port } = database;
  const login = async (name: string, grants: string[]) => ({
    host,
    port,
    ...(await database.createUser(name, grants)),
  });
  const registry = { ...(await login("registry", [`ALL ON \`${registrySchema}\`.*`])), dbname: registrySchema };
  // The ledger's rights name tables, which must exist before.
  await migrateRegistry(registry);
  const rights = (table: string) => `SELECT, INSERT, UPDATE ON \`${registrySchema}\`.\`${table}\``;
  const cases = `\`${caseSchemaPrefix.replaceAll("_", "\\_")}\\_%\`.*`;
  return {
    registry,
    ledger: { ...(await login("ledger", [rights(ledgerTable), rights(statusTable)])), dbname: registrySchema },
    // Which cases will have a full-text table is not known yet, so the right is one to schemas.
    searchText: await login("search_text", [`SELECT, INSERT, UPDATE ON ${cases}`]),
    caseReader: await login("case_reader", [`SELECT ON ${cases}`]),
    recordCopy: await login("record_copy", [
      `SELECT, INSERT, UPDATE, DELETE, CREATE, CREATE TEMPORARY TABLES, ALTER, INDEX, REFERENCES, LOCK TABLES ON ${cases}`,
    ]),
  };
}

/** Puts the logins, and the token of Document Engine, into the secrets that the global stack made. */
export async function fillSecrets(cloud: Cloud, outputs: GlobalOutputs, logins: Logins): Promise<void> {
  const token = await readFile(cloud.documentEngine.tokenFile, "utf8");
  const secrets = {
    [outputs.registrySecretArn]: logins.registry,
    [outputs.ledgerSecretArn]: logins.ledger,
    [outputs.caseReaderSecretArn]: logins.caseReader,
    [outputs.caseDatabaseSecretArn]: logins.recordCopy,
    [outputs.searchTextSecretArn]: logins.searchText,
    ...(outputs.documentEngine && { [outputs.documentEngine.secretArn]: { token } }),
  };
  const client = new SecretsManagerClient(cloud.client("operator"));
  try {
    await Promise.all(
      Object.entries(secrets).map(([SecretId, secret]) =>
        client.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(secret) })),
      ),
    );
  } finally {
    client.destroy();
  }
}

async function migrateRegistry(login: DatabaseSecret): Promise<void> {
  const registry = openRegistry(login);
  try {
    await migrate(registry);
  } finally {
    await registry.destroy();
  }
}
