import { Context } from "./context.ts";
import { defaultsKey } from "./check.ts";
import { diff, wantedTags, type Difference } from "./diff.ts";
import { RecoverableError } from "../../contracts/errors.ts";
import { displayName, type ResourceType } from "./resource.ts";
import type { Tags } from "./tags.ts";
import { isMissing, messageOf, nameOf } from "./retrying.ts";
import { isBag, secret, unknown, withoutUndefined, type Bag } from "./values.ts";

/** A resource that exists although its creation or update has not ended well: Pulumi must know it. */
export class InitFailedError extends RecoverableError {
  readonly id: string;
  readonly state: Bag;

  constructor(message: string, id: string, state: Bag, cause: unknown) {
    super("INIT_FAILED", message, { cause });
    this.id = id;
    this.state = state;
  }
}

export interface Settings {
  readonly region: string;
  readonly defaultTags: Tags;
}

/** @throws InitFailedError when the resource exists all the same */
export async function create(
  type: ResourceType,
  context: Context,
  inputs: Bag,
  settings: Settings,
): Promise<{ id: string; state: Bag }> {
  try {
    const id = context.created(await type.create(context, inputs, tagsOf(inputs, settings)));
    await type.settle?.(context, id, inputs);
    const actual = await context.until(`${displayName(type.token)} ${id} to be visible`, () =>
      type.read(context, id, inputs),
    );
    return { id, state: stateOf(type, actual, inputs, {}, settings) };
  } catch (error) {
    const message = worded("create", type, error);
    const id = context.createdId;
    if (id === undefined) throw new RecoverableError("CREATE_FAILED", message, { cause: error });
    throw new InitFailedError(message, id, await bestKnown(type, context, id, inputs, {}, settings), error);
  }
}

export async function update(
  type: ResourceType,
  context: Context,
  id: string,
  request: { inputs: Bag; state: Bag; oldInputs: Bag; ignoreChanges: readonly string[] },
  settings: Settings,
): Promise<Bag> {
  const { inputs, state } = request;
  const { changed } = diff(type, { ...request, ...settings });
  try {
    const tags = tagsOf(inputs, settings);
    if (changed.has("tags") || changed.has("tagsAll")) await retag(type, context, id, state, tags);
    const others = new Set([...changed].filter((name) => name !== "tags" && name !== "tagsAll"));
    if (others.size > 0) {
      await type.update?.(context, id, { inputs, state, changed: others, tags });
      await type.settle?.(context, id, inputs);
    }
    const actual = await context.until(`${displayName(type.token)} ${id} to be visible`, () =>
      type.read(context, id, inputs),
    );
    return stateOf(type, actual, inputs, {}, settings);
  } catch (error) {
    throw new InitFailedError(
      worded("update", type, error),
      id,
      await bestKnown(type, context, id, inputs, state, settings),
      error,
    );
  }
}

/** The resource as AWS has it, and the inputs that would lead to it; undefined when it is gone. */
export async function read(
  type: ResourceType,
  context: Context,
  id: string,
  known: { inputs: Bag; state: Bag },
  settings: Settings,
): Promise<{ state: Bag; inputs: Bag } | undefined> {
  try {
    const imported = Object.keys(known.state).length === 0;
    const actual = await type.read(context, id, { ...known.inputs, ...known.state });
    if (actual === undefined) return undefined;
    const state = stateOf(type, actual, imported ? {} : known.inputs, known.state, settings);
    return { state, inputs: imported ? importedInputs(type, state) : refreshedInputs(type, known.inputs, state) };
  } catch (error) {
    throw new RecoverableError("READ_FAILED", worded("read", type, error), { cause: error });
  }
}

export async function remove(type: ResourceType, context: Context, id: string, state: Bag): Promise<void> {
  try {
    await type.delete(context, id, state);
  } catch (error) {
    if (isMissing(error)) return;
    throw new RecoverableError("DELETE_FAILED", worded("delete", type, error), { cause: error });
  }
}

/** What a creation or update will leave behind, as far as that is known beforehand. */
export function previewed(
  type: ResourceType,
  inputs: Bag,
  state: Bag,
  difference: Difference | undefined,
  settings: Settings,
): Bag {
  const outputs = Object.entries(type.properties).map(([name, property]): [string, unknown] => {
    if (name === "tagsAll") return [name, wantedTags(inputs, settings.defaultTags)];
    if (name === "region") return [name, inputs["region"] ?? settings.region];
    if (inputs[name] !== undefined) return [name, inputs[name]];
    if (difference === undefined) return [name, property.role === "output" || property.computed ? unknown : undefined];
    if (property.volatile && difference.changes.length > 0) return [name, unknown];
    return [name, property.role === "output" || property.computed ? state[name] : undefined];
  });
  return withoutUndefined(Object.fromEntries(outputs));
}

/**
 * The state: what AWS says, in the program's own spelling where both mean the same, and what was given where AWS tells
 * nothing back.
 */
function stateOf(type: ResourceType, actual: Bag, inputs: Bag, before: Bag, settings: Settings): Bag {
  const members = Object.entries(type.properties).map(([name, property]): [string, unknown] => {
    const given = inputs[name] ?? before[name];
    if (name === "region") return [name, actual["region"] ?? settings.region];
    if (name === "tags" && type.tagging) return [name, ownTags(actual, inputs, settings)];
    if (property.unread && actual[name] === undefined) return [name, given];
    const value = given !== undefined && property.equal(actual[name], given) ? given : actual[name];
    return [name, property.secret && value !== undefined ? secret(value) : value];
  });
  return withoutUndefined(Object.fromEntries(members));
}

/** Tags that the provider's defaults do not explain. */
function ownTags(actual: Bag, inputs: Bag, { defaultTags }: Settings): Bag | undefined {
  const given = isBag(inputs["tags"]) ? inputs["tags"] : {};
  const all = isBag(actual["tagsAll"]) ? actual["tagsAll"] : {};
  const own = Object.entries(all).filter(([name, value]) => name in given || defaultTags[name] !== value);
  return own.length === 0 && Object.keys(given).length === 0 ? undefined : Object.fromEntries(own);
}

function refreshedInputs(type: ResourceType, inputs: Bag, state: Bag): Bag {
  const kept = Object.entries(inputs).map(([name, value]): [string, unknown] => {
    const property = type.properties[name];
    if (property === undefined) return [name, value];
    return [name, property.equal(state[name], value) ? value : state[name]];
  });
  return withoutUndefined(Object.fromEntries(kept));
}

function importedInputs(type: ResourceType, state: Bag): Bag {
  const given = Object.entries(type.properties).filter(([name, property]) => {
    if (property.role === "output" || name === "region" || state[name] === undefined) return false;
    return property.role === "required" || !property.equal(state[name], property.default);
  });
  return { ...Object.fromEntries(given.map(([name]) => [name, state[name]])), [defaultsKey]: [] };
}

function tagsOf(inputs: Bag, { defaultTags }: Settings): Tags {
  return wantedTags(inputs, defaultTags) as Tags;
}

async function retag(type: ResourceType, context: Context, id: string, state: Bag, wanted: Tags): Promise<void> {
  const actual = (state["tagsAll"] ?? {}) as Tags;
  const gone = Object.keys(actual).filter((name) => !(name in wanted));
  const fresh = Object.entries(wanted).filter(([name, value]) => actual[name] !== value);
  if (gone.length > 0) await type.tagging?.remove(context, id, gone, state);
  if (fresh.length > 0) await type.tagging?.add(context, id, Object.fromEntries(fresh), state);
}

/** After a failure: what AWS says if it answers, else what was asked for. */
async function bestKnown(
  type: ResourceType,
  context: Context,
  id: string,
  inputs: Bag,
  before: Bag,
  settings: Settings,
): Promise<Bag> {
  try {
    const actual = await type.read(context, id, inputs);
    if (actual !== undefined) return stateOf(type, actual, inputs, before, settings);
  } catch {
    // The first failure is the one to report.
  }
  return { ...before, ...inputs };
}

function worded(verb: string, type: ResourceType, error: unknown): string {
  const name = nameOf(error);
  const cause =
    name === "" || name === "Error" || messageOf(error).startsWith(name)
      ? messageOf(error)
      : `${name}: ${messageOf(error)}`;
  return `cannot ${verb} ${displayName(type.token)}: ${cause}`;
}
