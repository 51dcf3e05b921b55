import { automaticName, type Autonaming } from "./naming.ts";
import { displayName, type Fault, type ResourceType } from "./resource.ts";
import { shapeFaults } from "./schema.ts";
import { holdsUnknown, isBag, type Bag } from "./values.ts";

/** Lists the inputs that nobody gave; kept in the state, so that a made-up name stays. */
export const defaultsKey = "__defaults";

export interface CheckRequest {
  readonly name: string;
  readonly olds: Bag;
  readonly news: Bag;
  readonly seed: Uint8Array;
  readonly autonaming?: Autonaming | undefined;
}

/** The inputs with defaults and an automatic name, and everything that is wrong with them, by property. */
export function check(type: ResourceType, request: CheckRequest): { inputs: Bag; faults: Fault[] } {
  const given = Object.fromEntries(Object.entries(request.news).filter(([name]) => !name.startsWith("__")));
  const faults = [...nameFaults(type, given), ...missingFaults(type, given), ...valueFaults(type, given)];
  const inputs = documentsAsText(type, given);
  const filled = new Set<string>();

  for (const [name, property] of Object.entries(type.properties)) {
    if (inputs[name] !== undefined || property.default === undefined) continue;
    inputs[name] = property.default;
    filled.add(name);
  }
  const naming = type.naming;
  if (naming && (inputs[naming.property] === undefined || inputs[naming.property] === "")) {
    const kept = filledBefore(request.olds).has(naming.property) ? request.olds[naming.property] : undefined;
    const made = automaticName(naming, request.name, inputs, request.seed, request.autonaming);
    if (kept !== undefined) inputs[naming.property] = kept;
    else if ("name" in made) inputs[naming.property] = made.name;
    else faults.push(made.fault);
    filled.add(naming.property);
  }
  if (faults.length === 0 && !holdsUnknown(inputs)) faults.push(...(type.validate?.(inputs) ?? []));
  return { inputs: { ...inputs, [defaultsKey]: [...filled].sort() }, faults };
}

export function filledBefore(inputs: Bag): Set<string> {
  const names = inputs[defaultsKey];
  return new Set(Array.isArray(names) ? names.map(String) : []);
}

function nameFaults(type: ResourceType, given: Bag): Fault[] {
  return Object.keys(given).flatMap((name) => {
    const known = type.properties[name];
    if (known !== undefined && known.role !== "output") return [];
    const official = known !== undefined || type.unsupported.includes(name);
    const reason = official
      ? `"${name}" is a property of ${displayName(type.token)} that ${known ? "cannot be given" : "the local provider does not support"}`
      : `"${name}" is not a property of ${displayName(type.token)}`;
    return [{ property: name, reason }];
  });
}

function missingFaults(type: ResourceType, given: Bag): Fault[] {
  const required = Object.entries(type.properties).filter(([, property]) => property.role === "required");
  return required.flatMap(([name]) =>
    given[name] === undefined
      ? [{ property: name, reason: `missing required property "${name}" of ${displayName(type.token)}` }]
      : [],
  );
}

function valueFaults(type: ResourceType, given: Bag): Fault[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const property = type.properties[name];
    if (property === undefined || property.role === "output") return [];
    return shapeFaults(property, value, name).map(({ path, reason }) => ({
      property: path,
      reason: `"${path}" of ${displayName(type.token)} ${reason}`,
    }));
  });
}

/** A policy may be given as an object; AWS wants text. */
function documentsAsText(type: ResourceType, given: Bag): Bag {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      return [name, type.properties[name]?.kind === "document" && isBag(value) ? JSON.stringify(value) : value];
    }),
  );
}
