import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { z } from "zod";
import type { documentEngineSettings } from "../environment.ts";
import { documentEngineSecretReader } from "../secret.ts";
import { createDocumentEngine } from "./client.ts";
import type { DocumentEngine } from "./client.ts";
import { persistent } from "../persistent.ts";

type Settings = { [Name in keyof typeof documentEngineSettings]: z.infer<(typeof documentEngineSettings)[Name]> };

/** The Document Engine that a Lambda's environment names; its token is read when it is first needed. */
export function connectDocumentEngine(settings: Settings): DocumentEngine {
  const secrets = new SecretsManagerClient(persistent);
  return createDocumentEngine({
    url: settings.DOCUMENT_ENGINE_URL,
    secret: documentEngineSecretReader(secrets, settings.DOCUMENT_ENGINE_SECRET_ARN),
  });
}
