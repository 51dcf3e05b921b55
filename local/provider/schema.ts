import { isArchive, isAsset, isBag, unknown, type Bag } from "./values.ts";
import { jsonEqual, looseEqual, policyEqual, unorderedEqual } from "./equality.ts";

/** The form of a value: how it is checked, cast and compared. */
export interface Shape {
  readonly kind: "string" | "number" | "boolean" | "asset" | "document" | "map" | "list" | "object";
  readonly fields?: Properties;
  readonly of?: Shape;
  equal(a: unknown, b: unknown): boolean;
}

/** One property of a resource type, or one field of an object in it. */
export interface Property<T = unknown> extends Shape {
  /** `output` properties are AWS's to say and cannot be given. */
  readonly role: "required" | "optional" | "output";
  /** What the official provider fills in when nothing is given. */
  readonly default?: T;
  /** AWS chooses a value when none is given: leaving it out is never a change. */
  readonly computed: boolean;
  /** A change means a new resource. */
  readonly replaces: boolean;
  readonly secret: boolean;
  /** AWS does not tell it back: the state repeats what was given. */
  readonly unread: boolean;
  /** It may change with any update. */
  readonly volatile: boolean;
}

export type Properties = Readonly<Record<string, Property>>;

declare const valueType: unique symbol;
/** Carries the TypeScript type of a property's value. */
type Typed<T, R extends Role> = Property<T> & { readonly [valueType]?: T; readonly role: R };
type Role = Property["role"];

type ValueOf<P> = P extends { readonly [valueType]?: infer T } ? T : never;
type RequiredKeys<P> = { [K in keyof P]: P[K] extends { role: "required" } ? K : never }[keyof P];

/** Inputs of a resource as its code sees them, after the check; a plain bag where the type is not known. */
export type Values<P> = string extends keyof P
  ? Bag
  : { [K in Exclude<keyof P, RequiredKeys<P>>]?: ValueOf<P[K]> | undefined } & {
      [K in RequiredKeys<P>]: NonNullable<ValueOf<P[K]>>;
    };
/** What is known of a resource in AWS. */
export type State<P> = string extends keyof P ? Bag : { [K in keyof P]?: ValueOf<P[K]> | undefined };

interface Options<T, R extends Role> {
  role?: R;
  default?: NoInfer<T>;
  computed?: boolean;
  replaces?: boolean;
  secret?: boolean;
  unread?: boolean;
  volatile?: boolean;
}

function property<T, R extends Role>(shape: Shape, options: Options<T, R>): Typed<T, R> {
  const { role = "optional", default: fallback, ...flags } = options;
  return {
    ...shape,
    computed: false,
    replaces: false,
    secret: false,
    unread: false,
    volatile: false,
    ...flags,
    role: role as R,
    ...(fallback === undefined ? {} : { default: fallback }),
  };
}

const scalar = (kind: "string" | "number" | "boolean"): Shape => ({ kind, equal: looseEqual });

export function text<R extends Role = "optional">(options: Options<string, R> = {}): Typed<string, R> {
  return property(scalar("string"), options);
}
export function number<R extends Role = "optional">(options: Options<number, R> = {}): Typed<number, R> {
  return property(scalar("number"), options);
}
export function flag<R extends Role = "optional">(options: Options<boolean, R> = {}): Typed<boolean, R> {
  return property(scalar("boolean"), options);
}
/** A JSON document as a string; an object is turned into one. */
export function json<R extends Role = "optional">(options: Options<string, R> = {}): Typed<string, R> {
  return property({ kind: "document", equal: jsonEqual }, options);
}
/** An IAM policy document: equal when it means the same. */
export function policy<R extends Role = "optional">(options: Options<string, R> = {}): Typed<string, R> {
  return property({ kind: "document", equal: policyEqual }, options);
}
/** A file, a string or an archive of them, compared by its hash. */
export function asset<R extends Role = "optional">(options: Options<Bag, R> = {}): Typed<Bag, R> {
  const hashOf = (value: unknown) => (isBag(value) ? value["hash"] : undefined);
  return property({ kind: "asset", equal: (a, b) => hashOf(a) === hashOf(b) }, options);
}
export function textMap<R extends Role = "optional">(
  options: Options<Record<string, string>, R> = {},
): Typed<Record<string, string>, R> {
  return property({ kind: "map", of: scalar("string"), equal: looseEqual }, options);
}
export function textList<R extends Role = "optional">(options: Options<string[], R> = {}): Typed<string[], R> {
  return property({ kind: "list", of: scalar("string"), equal: looseEqual }, options);
}
/** A list whose order does not matter. */
export function textSet<R extends Role = "optional">(options: Options<string[], R> = {}): Typed<string[], R> {
  return property({ kind: "list", of: scalar("string"), equal: unorderedEqual }, options);
}
export function object<F extends Properties, R extends Role = "optional">(
  fields: F,
  options: Options<Values<F>, R> = {},
): Typed<Values<F>, R> {
  return property(objectShape(fields), options);
}
export function objects<F extends Properties, R extends Role = "optional">(
  fields: F,
  options: Options<Values<F>[], R> = {},
): Typed<Values<F>[], R> {
  const of = objectShape(fields);
  return property({ kind: "list", of, equal: (a, b) => listsEqual(of, a, b) }, options);
}

function listsEqual(of: Shape, a: unknown, b: unknown): boolean {
  const [left, right] = [Array.isArray(a) ? a : [], Array.isArray(b) ? b : []];
  return left.length === right.length && left.every((item, index) => of.equal(item, right[index]));
}

function objectShape(fields: Properties): Shape {
  return {
    kind: "object",
    fields,
    equal: (a, b) => {
      const [left, right] = [isBag(a) ? a : {}, isBag(b) ? b : {}];
      return Object.entries(fields).every(([name, field]) => {
        const absent = left[name] === undefined || right[name] === undefined;
        return (absent && field.computed) || field.equal(left[name] ?? field.default, right[name] ?? field.default);
      });
    },
  };
}

/** Why a value does not have the shape, with the path of the wrong part; empty when it has. */
export function shapeFaults(shape: Shape, value: unknown, path: string): { path: string; reason: string }[] {
  if (value === unknown) return [];
  switch (shape.kind) {
    case "string":
    case "number":
    case "boolean":
      return typeof value === shape.kind ? [] : [{ path, reason: `must be a ${shape.kind}, not ${kindOf(value)}` }];
    case "document":
      return isJsonDocument(value) ? [] : [{ path, reason: "must be a JSON document" }];
    case "asset":
      return isAsset(value) || isArchive(value)
        ? []
        : [{ path, reason: `must be an asset or archive, not ${kindOf(value)}` }];
    case "map":
      if (!isBag(value)) return [{ path, reason: `must be a map, not ${kindOf(value)}` }];
      return Object.entries(value).flatMap(([key, item]) => itemFaults(shape, item, `${path}.${key}`));
    case "list":
      if (!Array.isArray(value)) return [{ path, reason: `must be a list, not ${kindOf(value)}` }];
      return value.flatMap((item, index) => itemFaults(shape, item, `${path}[${index}]`));
    case "object":
      if (!isBag(value)) return [{ path, reason: `must be an object, not ${kindOf(value)}` }];
      return fieldFaults(shape.fields ?? {}, value, path);
  }
}

function itemFaults(shape: Shape, item: unknown, path: string): { path: string; reason: string }[] {
  return shape.of === undefined ? [] : shapeFaults(shape.of, item, path);
}

function fieldFaults(fields: Properties, value: Bag, path: string): { path: string; reason: string }[] {
  const strange = Object.keys(value).filter((name) => fields[name] === undefined);
  const missing = Object.keys(fields).filter((name) => fields[name]?.role === "required" && value[name] === undefined);
  return [
    ...strange.map((name) => ({ path: `${path}.${name}`, reason: "is not known to the local provider" })),
    ...missing.map((name) => ({ path: `${path}.${name}`, reason: "is required" })),
    ...Object.entries(fields).flatMap(([name, field]) =>
      value[name] === undefined ? [] : shapeFaults(field, value[name], `${path}.${name}`),
    ),
  ];
}

function kindOf(value: unknown): string {
  if (isAsset(value)) return "an asset";
  if (isArchive(value)) return "an archive";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

function isJsonDocument(value: unknown): boolean {
  if (isBag(value)) return true;
  if (typeof value !== "string") return false;
  try {
    JSON.parse(value);
    return true;
  } catch {
    return value === "";
  }
}
