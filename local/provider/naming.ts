import { createHash, randomBytes } from "node:crypto";
import type { Fault, Naming } from "./resource.ts";
import type { Bag } from "./values.ts";

/** What the stack's `autonaming` settings ask of a name. */
export interface Autonaming {
  readonly mode: "propose" | "enforce" | "disable";
  readonly proposedName: string;
}

const suffixLength = 7;

/**
 * A name for a resource that was given none: the logical name, "-" and seven hex digits, as the official provider
 * does it. The same seed gives the same name.
 */
export function automaticName(
  naming: Naming,
  logicalName: string,
  inputs: Bag,
  seed: Uint8Array,
  autonaming: Autonaming | undefined,
): { name: string } | { fault: Fault } {
  const fault = (reason: string) => ({ fault: { property: naming.property, reason } });
  if (autonaming?.mode === "disable") return fault("must be given: automatic naming is disabled");
  const ending = naming.ending?.(inputs) ?? "";
  const base = naming.lowerCase === true ? logicalName.toLowerCase() : logicalName;
  const proposed = autonaming === undefined ? "" : autonaming.proposedName;
  const name =
    (proposed !== "" ? proposed : naming.exact === true ? base : `${base}-${suffix(seed, logicalName)}`) + ending;
  if (name.length > naming.maxLength) {
    return fault(
      `the automatic name "${name}" has ${name.length} characters, allowed are ${naming.maxLength}: shorten the resource's name or give one`,
    );
  }
  return { name };
}

function suffix(seed: Uint8Array, logicalName: string): string {
  const source =
    seed.length > 0 ? createHash("sha256").update(seed).update(logicalName).digest() : randomBytes(suffixLength);
  return source.toString("hex").slice(0, suffixLength);
}
