import { filledBefore } from "./check.ts";
import { isEmpty } from "./equality.ts";
import type { ResourceType } from "./resource.ts";
import type { Tags } from "./tags.ts";
import type { Property } from "./schema.ts";
import { holdsUnknown, isBag, unknown, type Bag } from "./values.ts";

export type ChangeKind = "add" | "delete" | "update";

export interface PropertyChange {
  /** As Pulumi writes paths: `tags.owner`, `environment.variables["A.B"]`. */
  readonly path: string;
  readonly kind: ChangeKind;
  readonly replaces: boolean;
}

export interface Difference {
  readonly changes: PropertyChange[];
  /** Names of the top-level properties that differ. */
  readonly changed: ReadonlySet<string>;
  /** Names of those that need a new resource. */
  readonly replaces: string[];
  readonly deleteBeforeReplace: boolean;
}

export interface DiffRequest {
  readonly state: Bag;
  readonly inputs: Bag;
  readonly oldInputs: Bag;
  readonly ignoreChanges: readonly string[];
  readonly defaultTags: Tags;
  readonly region: string;
}

/**
 * What must happen to a resource so that it is as the inputs say. The inputs are held against the *state*, not against
 * earlier inputs: what was changed behind our back is a difference too.
 */
export function diff(type: ResourceType, request: DiffRequest): Difference {
  const { state, inputs } = request;
  const found = Object.entries(type.properties).flatMap(([name, property]) => {
    if (property.role === "output" || name === "tags") return [];
    return differs(name, property, request) ? changesOf(name, property, state[name], inputs[name]) : [];
  });
  if (type.tagging) found.push(...tagChanges(request));
  const changes = found.filter((change) => !isIgnored(change.path, request.ignoreChanges));
  const changed = new Set(changes.map((change) => topLevel(change.path)));
  const replaces = [...changed].filter((name) => type.properties[name]?.replaces === true);
  return { changes, changed, replaces, deleteBeforeReplace: replaces.length > 0 && collides(type, request, changed) };
}

function differs(name: string, property: Property, { state, inputs, oldInputs, region }: DiffRequest): boolean {
  // A half-made resource may be recorded without its region.
  if (name === "region") return state["region"] !== undefined && state["region"] !== (inputs["region"] ?? region);
  const wanted = inputs[name];
  const actual = property.unread && state[name] === undefined ? oldInputs[name] : state[name];
  if (wanted === undefined) return !property.computed && !isEmpty(actual);
  return holdsUnknown(wanted) || !property.equal(actual, wanted);
}

/** One change for each leaf of a map or object, so that a preview shows what is meant. */
function changesOf(path: string, property: Property, actual: unknown, wanted: unknown): PropertyChange[] {
  const { replaces } = property;
  if ((property.kind === "map" || property.kind === "object") && isBag(actual) && isBag(wanted)) {
    const names = [...new Set([...Object.keys(actual), ...Object.keys(wanted)])].sort();
    const leaves = names.flatMap((name) => {
      const field = property.fields?.[name] ?? property.of;
      if (field === undefined || field.equal(actual[name], wanted[name])) return [];
      if (wanted[name] === undefined && property.fields?.[name]?.computed === true) return [];
      return [{ path: childPath(path, name), kind: kindOf(actual[name], wanted[name]), replaces }];
    });
    if (leaves.length > 0) return leaves;
  }
  return [{ path, kind: kindOf(actual, wanted), replaces }];
}

function kindOf(actual: unknown, wanted: unknown): ChangeKind {
  if (actual === undefined) return "add";
  return wanted === undefined ? "delete" : "update";
}

function childPath(path: string, name: string): string {
  return /^[A-Za-z_][\w-]*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
}

function topLevel(path: string): string {
  return path.split(/[.[]/, 1)[0] ?? path;
}

/** The tags that a resource should carry: the provider's defaults under its own. */
export function wantedTags(inputs: Bag, defaultTags: Tags): unknown {
  const own = inputs["tags"];
  if (own === unknown) return unknown;
  return { ...defaultTags, ...(isBag(own) ? own : {}) };
}

function tagChanges({ state, inputs, defaultTags }: DiffRequest): PropertyChange[] {
  const wanted = wantedTags(inputs, defaultTags);
  if (!isBag(wanted)) return [{ path: "tags", kind: "update", replaces: false }];
  const actual = isBag(state["tagsAll"]) ? state["tagsAll"] : {};
  const names = [...new Set([...Object.keys(actual), ...Object.keys(wanted)])].sort();
  return names.flatMap((name) => {
    if (actual[name] === wanted[name]) return [];
    const own = isBag(inputs["tags"]) && name in inputs["tags"];
    const parent = own || !(name in defaultTags) ? "tags" : "tagsAll";
    return [{ path: childPath(parent, name), kind: kindOf(actual[name], wanted[name]), replaces: false }];
  });
}

function isIgnored(path: string, ignored: readonly string[]): boolean {
  return ignored.some((one) => one === "*" || path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`));
}

/** A name that somebody chose and that stays cannot be held by two resources at once. */
function collides(type: ResourceType, request: DiffRequest, changed: ReadonlySet<string>): boolean {
  if (type.deleteBeforeReplace === true) return true;
  const name = type.naming?.property;
  return name !== undefined && !changed.has(name) && !filledBefore(request.inputs).has(name);
}
