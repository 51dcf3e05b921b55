import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { z } from "zod";
import { PermanentError } from "../../contracts/errors.ts";
import { databaseSecret, documentEngineSecret } from "../../contracts/secrets.ts";
import type { DatabaseSecret, DocumentEngineSecret } from "../../contracts/secrets.ts";

/** A secret that is read once, however many ask at the same time, until it is forgotten. */
export interface SecretReader<Secret> {
  read: () => Promise<Secret>;
  /** Forgets what is known; given a secret that was no good, only if that is still what is known. */
  forget: (stale?: Secret) => void;
}

export function databaseSecretReader(secrets: SecretsManagerClient, secretArn: string): SecretReader<DatabaseSecret> {
  return secretReader(() => fetchSecret(secrets, secretArn, databaseSecret, "host, port, username and password"));
}

export function documentEngineSecretReader(
  secrets: SecretsManagerClient,
  secretArn: string,
): SecretReader<DocumentEngineSecret> {
  return secretReader(() => fetchSecret(secrets, secretArn, documentEngineSecret, "token"));
}

function secretReader<Secret>(fetch: () => Promise<Secret>): SecretReader<Secret> {
  let reading: Promise<Secret> | undefined;
  let known: Secret | undefined;
  const forget = (stale?: Secret) => {
    if (stale !== undefined && stale !== known) return;
    reading = known = undefined;
  };
  const read = () => {
    const current = (reading ??= fetch());
    current.then(
      (secret) => {
        if (reading === current) known = secret;
      },
      // A failed reading must not be remembered, or the process would never recover.
      () => {
        if (reading === current) forget();
      },
    );
    return current;
  };
  return { read, forget };
}

async function fetchSecret<Secret>(
  secrets: SecretsManagerClient,
  secretArn: string,
  schema: z.ZodType<Secret>,
  members: string,
): Promise<Secret> {
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secretArn }));
  try {
    return schema.parse(JSON.parse(SecretString ?? ""));
  } catch {
    // The cause may quote the secret, hence none is given.
    throw new PermanentError("INVALID_SECRET", `secret ${secretArn} is not JSON with ${members}: correct it`);
  }
}
