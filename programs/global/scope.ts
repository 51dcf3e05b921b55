import type { Output, ProviderResource } from "@pulumi/pulumi";
import type { GlobalConfig } from "./config.ts";

/** What every part of the global stack is made with. */
export interface Scope {
  config: GlobalConfig;
  accountId: Output<string>;
  options: { provider: ProviderResource };
}
