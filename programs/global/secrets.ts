import * as secretsmanager from "@pulumi/aws/secretsmanager/index.js";
import { resourcePrefix } from "../../contracts/names.ts";
import type { Scope } from "./scope.ts";

const descriptions = {
  caseDatabase: "Cases, for the Glue job: reads the source case, writes the destination case",
  caseReader: "Cases, for the engine: reads only",
  registry: "The engine's own schema",
  ledger: "The ledger and status tables, for Lambdas",
  documentEngine: "The token of Document Engine, for the Lambdas of exchanges",
  searchText: "The full-text tables of cases, for the Lambdas of exchanges with annotations",
};
export type SecretName = keyof typeof descriptions;

/** The secrets without their values: the operator puts those, so that no state and no configuration ever holds one. */
export function makeSecrets({ config, options }: Scope): Record<SecretName, secretsmanager.Secret> {
  const secret = (name: SecretName) =>
    new secretsmanager.Secret(
      `${resourcePrefix}${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`,
      { description: descriptions[name], recoveryWindowInDays: config.secretRecoveryDays },
      options,
    );
  return {
    caseDatabase: secret("caseDatabase"),
    caseReader: secret("caseReader"),
    registry: secret("registry"),
    ledger: secret("ledger"),
    documentEngine: secret("documentEngine"),
    searchText: secret("searchText"),
  };
}
