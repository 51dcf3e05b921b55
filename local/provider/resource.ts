import type { Context } from "./context.ts";
import { text, textMap, type Properties, type State, type Values } from "./schema.ts";
import type { Tags } from "./tags.ts";
import type { Bag } from "./values.ts";

/** How a name is made when the program gives none. */
export interface Naming {
  readonly property: string;
  readonly maxLength: number;
  /** `exact` names are the logical name itself, without a random suffix. */
  readonly exact?: boolean;
  readonly lowerCase?: boolean;
  /** What the name must end with, given the other inputs. */
  readonly ending?: (inputs: Bag) => string;
}

export interface Fault {
  property: string;
  reason: string;
}

/** What a resource type must say of itself; the rest is the same for all. */
export interface Definition<P extends Properties> {
  /** Pulumi's type token, e.g. `aws:sqs/queue:Queue`. */
  readonly token: string;
  readonly properties: P;
  /** Properties of the official type that are not built here. */
  readonly unsupported: readonly string[];
  readonly naming?: Naming;
  /** False for global services: the type has no `region`. */
  readonly regional?: boolean;
  /** Two of its kind cannot exist side by side, whatever their names. */
  readonly deleteBeforeReplace?: boolean;
  /** Rules that span properties. */
  readonly validate?: (inputs: Values<P>) => Fault[];
  /**
   * Makes the resource and returns its id. A creation of several calls tells `context.created(id)` after the first
   * one, so that a later failure leaves the resource known.
   */
  readonly create: (context: Context, inputs: Values<P>, tags: Tags) => Promise<string>;
  /** Waits until the resource can be used. */
  readonly settle?: (context: Context, id: string, inputs: Values<P>) => Promise<void>;
  /** The resource as AWS has it, tags in `tagsAll`; undefined when it is gone. `known` is empty in an import. */
  readonly read: (context: Context, id: string, known: State<P>) => Promise<ReadState<P> | undefined>;
  /** Brings the properties named in `changed` to `inputs`; absent ones are reset. */
  readonly update?: (context: Context, id: string, change: Change<P>) => Promise<void>;
  readonly delete: (context: Context, id: string, state: State<P>) => Promise<void>;
  readonly tagging?: {
    readonly add: (context: Context, id: string, tags: Tags, state: State<P>) => Promise<unknown>;
    readonly remove: (context: Context, id: string, keys: string[], state: State<P>) => Promise<unknown>;
  };
}

export type ReadState<P> = State<P> & { tagsAll?: Tags | undefined };

export interface Change<P> {
  readonly inputs: Values<P>;
  readonly state: State<P>;
  readonly changed: ReadonlySet<keyof P>;
  /** The whole wanted set, for types whose tags are replaced as one. */
  readonly tags: Tags;
}

export type ResourceType = Definition<Properties>;

const regionProperty = { region: text({ computed: true, replaces: true }) };
const tagProperties = { tags: textMap(), tagsAll: textMap({ role: "output", volatile: true }) };

/** A definition with the properties that all types share. Its code meets only values that the check has let through. */
export function define<P extends Properties>(definition: Definition<P>): ResourceType {
  const properties = {
    ...definition.properties,
    ...(definition.regional === false ? {} : regionProperty),
    ...(definition.tagging === undefined ? {} : tagProperties),
  };
  return { ...definition, properties } as unknown as ResourceType;
}

/** `aws:sqs/queue:Queue` as programs write it: `aws.sqs.Queue`. */
export function displayName(token: string): string {
  const [pkg = "", module = "", name = ""] = token.split(":");
  return `${pkg}.${module.split("/")[0] ?? ""}.${name}`;
}
