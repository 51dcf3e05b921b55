import type { ExchangeStackConfig } from "../../programs/exchange/config.ts";
import type { DeployError } from "./errors.ts";

/** Pulumi's project, as in Pulumi.yaml: stacks of the plain CLI and of the engine are the same stacks. */
export const projectName = "documentexchanger";

interface JobBase {
  readonly stackName: string;
  /** The process before died at this stack: free its lock and settle its pending operations first. */
  readonly recover: boolean;
  /** Of stacks that are made; absent: the passphrase in the environment. */
  readonly secretsProvider?: string | undefined;
}

/** What a child process is asked to do with one stack. */
export type Job =
  | (JobBase & {
      readonly kind: "up";
      readonly config: ExchangeStackConfig;
      /** URL of a module that exports `exchangeProgram`. */
      readonly program: string;
      /** Nobody has made the stack yet, as far as is known. */
      readonly isNew: boolean;
    })
  | (JobBase & { readonly kind: "destroy" })
  | (JobBase & { readonly kind: "outputs" });

/** What it answers, once. */
export type Outcome =
  | { readonly ok: true; readonly outputs: Readonly<Record<string, unknown>> | null }
  | { readonly ok: false; readonly cancelled: boolean; readonly error: DeployError };
