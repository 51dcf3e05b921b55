import { Fault, Name, Stream } from "./syntax.ts";
import type { Value } from "./syntax.ts";

/** Whether a value is of one of the simple kinds of the grammar. */
export function isPrimitive(value: Value | Stream | undefined, is: string): boolean {
  switch (is) {
    case "boolean":
      return typeof value === "boolean";
    case "integer":
      return typeof value === "number" && Number.isInteger(value);
    case "number":
      return typeof value === "number";
    case "name":
      return value instanceof Name;
    default:
      return value instanceof Uint8Array;
  }
}

/**
 * What is in the resources and not drawn could hide anything.
 *
 * @param used the names that the content uses
 * @throws Fault
 */
export function checkResources(
  given: Value | undefined,
  used: ReadonlySet<string>,
  resolve: (value: Value | undefined) => Value | Stream | undefined,
): void {
  const resources = resolve(given);
  if (!(resources instanceof Map)) return;
  for (const category of ["Font", "XObject", "Pattern"]) {
    const entries = resolve(resources.get(category));
    if (entries instanceof Map && [...entries.keys()].some((name) => !used.has(name))) {
      throw new Fault("it has resources that nothing uses");
    }
  }
}
