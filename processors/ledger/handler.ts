import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { z } from "zod";
import { createDatabase } from "../shared/database.ts";
import { readEnvironment } from "../shared/environment.ts";
import { createLog } from "../shared/log.ts";
import { persistent } from "../shared/persistent.ts";
import { databaseSecretReader } from "../shared/secret.ts";
import { ledgerHandler } from "./process.ts";

const environment = readEnvironment(z.object({ DATABASE_SECRET_ARN: z.string().min(1) }));

const secret = databaseSecretReader(new SecretsManagerClient(persistent), environment.DATABASE_SECRET_ARN);

export const handler = ledgerHandler({ database: createDatabase(secret), log: createLog("ledger") });
