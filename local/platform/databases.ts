import { PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { DatabaseSecret } from "../../contracts/secrets.ts";
import { ledgerTable, statusTable } from "../../contracts/ledger.ts";
import { openRegistry } from "../../engine/registry/database.ts";
import { migrate } from "../../engine/registry/migrations/index.ts";
import type { GlobalOutputs } from "../../programs/global/outputs.ts";
import type { Cloud } from "../cloud/cloud.ts";

const registrySchema = "documentexchanger";

/**
 * What a database administrator does once per environment: one user for each purpose with just the rights that it
 * needs, and their passwords in the secrets that the global stack made.
 */
export async function provideDatabases(cloud: Cloud, outputs: GlobalOutputs): Promise<void> {
  const admin = await cloud.database.admin();
  try {
    await admin.query("CREATE DATABASE ?? CHARACTER SET utf8mb4", [registrySchema]);
  } finally {
    await admin.end();
  }
  const cases = `\`${outputs.caseSchemaPrefix.replaceAll("_", "\\_")}\\_%\`.*`;
  const login = async (name: string, grants: string[], dbname?: string): Promise<DatabaseSecret> => ({
    host: cloud.database.host,
    port: cloud.database.port,
    ...(await cloud.database.createUser(name, grants)),
    ...(dbname !== undefined && { dbname }),
  });
  const registry = await login("registry", [`ALL ON \`${registrySchema}\`.*`], registrySchema);
  // The ledger's rights name tables, which must exist before.
  await migrateRegistry(registry);
  const rights = (table: string) => `SELECT, INSERT, UPDATE ON \`${registrySchema}\`.\`${table}\``;
  const secrets: Record<string, DatabaseSecret> = {
    [outputs.registrySecretArn]: registry,
    [outputs.ledgerSecretArn]: await login("ledger", [rights(ledgerTable), rights(statusTable)], registrySchema),
    [outputs.caseReaderSecretArn]: await login("case_reader", [`SELECT ON ${cases}`]),
    [outputs.caseDatabaseSecretArn]: await login("record_copy", [
      `SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, REFERENCES, LOCK TABLES ON ${cases}`,
    ]),
  };
  const client = new SecretsManagerClient(cloud.client("operator"));
  try {
    for (const [SecretId, secret] of Object.entries(secrets)) {
      await client.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(secret) }));
    }
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
