import { ComponentResource } from "@pulumi/pulumi/resource.js";

/** A stack that needs no provider: one component, and outputs that tell what the program was given. */
export function exchangeProgram(config: { phase: string }): Record<string, unknown> {
  new ComponentResource("test:index:Part", "part");
  return { phase: config.phase, queues: {}, processors: {} };
}
