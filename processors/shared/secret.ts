import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { PermanentError } from "../../contracts/errors.ts";
import { databaseSecret } from "../../contracts/secrets.ts";
import type { DatabaseSecret } from "../../contracts/secrets.ts";

/** A secret that is read once, however many ask at the same time, until it is forgotten. */
export interface SecretReader {
  read: () => Promise<DatabaseSecret>;
  forget: () => void;
}

export function databaseSecretReader(secrets: SecretsManagerClient, secretArn: string): SecretReader {
  let reading: Promise<DatabaseSecret> | undefined;
  const forget = () => {
    reading = undefined;
  };
  const read = () => {
    const current = (reading ??= fetchSecret(secrets, secretArn));
    // A failed reading must not be remembered, or the process would never recover.
    current.catch(() => {
      if (reading === current) forget();
    });
    return current;
  };
  return { read, forget };
}

async function fetchSecret(secrets: SecretsManagerClient, secretArn: string): Promise<DatabaseSecret> {
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secretArn }));
  try {
    return databaseSecret.parse(JSON.parse(SecretString ?? ""));
  } catch {
    // The cause may quote the secret, hence none is given.
    throw new PermanentError(
      "INVALID_SECRET",
      `secret ${secretArn} is not JSON with host, port, username and password: correct it`,
    );
  }
}
