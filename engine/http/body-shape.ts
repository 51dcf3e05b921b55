import { mostErrors, type FieldError } from "./problem.ts";

/** Names by which a value of JSON could reach the prototype of an object; none of our fields is called so. */
const refusedNames: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Many times what any object of a request has; checking each of a hundred thousand unknown names would take a second. */
const mostMembers = 1000;

/** An object or list with the way to it. */
interface Place {
  readonly value: object;
  readonly name: string;
  readonly parent: Place | null;
}

/**
 * What no body may have, however deep it stands: names of prototypes, and objects with too many members. Lists the first
 * and counts all of them.
 */
export function shapeErrors(json: unknown): { errors: readonly FieldError[]; errorCount: number } {
  const errors: FieldError[] = [];
  let errorCount = 0;
  const refuse = (place: Place, names: readonly string[], message: string) => {
    errorCount += 1;
    if (errors.length < mostErrors) errors.push({ field: [...pathOf(place), ...names].join("."), message });
  };
  const pending: Place[] = [];
  const enter = (value: unknown, name: string, parent: Place | null) => {
    if (typeof value === "object" && value !== null) pending.push({ value, name, parent });
  };
  enter(json, "", null);
  for (let place = pending.pop(); place; place = pending.pop()) {
    const isList = Array.isArray(place.value);
    const members = Object.entries(place.value);
    if (!isList && members.length > mostMembers) {
      refuse(place, [], `has ${members.length} fields, at most ${mostMembers} are possible`);
      continue;
    }
    for (const [name, value] of members) {
      if (!isList && refusedNames.has(name)) refuse(place, [name], "is a name that no field may have");
      enter(value, name, place);
    }
  }
  return { errors, errorCount };
}

function pathOf(place: Place): string[] {
  const path: string[] = [];
  for (let at = place; at.parent; at = at.parent) path.push(at.name);
  return path.reverse();
}
