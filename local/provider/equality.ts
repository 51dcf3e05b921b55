import { isDeepStrictEqual } from "node:util";
import { isBag, type Bag } from "./values.ts";

/** AWS and Pulumi both treat "", 0, false and empty collections as "not there". */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isBag(value) && Object.values(value).every((member) => member === undefined);
}

export function looseEqual(a: unknown, b: unknown): boolean {
  return (isEmpty(a) && isEmpty(b)) || isDeepStrictEqual(a, b);
}

export function unorderedEqual(a: unknown, b: unknown): boolean {
  const sorted = (value: unknown) => (Array.isArray(value) ? value.map(String).sort() : []);
  return isDeepStrictEqual(sorted(a), sorted(b));
}

function parsed(value: unknown): unknown {
  if (typeof value !== "string" || value === "") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** Equal as JSON: spacing, key order and numbers written as strings do not matter. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  return (isEmpty(a) && isEmpty(b)) || isDeepStrictEqual(scalarsAsText(parsed(a)), scalarsAsText(parsed(b)));
}

function scalarsAsText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(scalarsAsText);
  if (isBag(value)) return mapBag(value, scalarsAsText);
  return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
}

/** Equal as IAM reads them: one value or a list of one, in any order, account ids or root ARNs. */
export function policyEqual(a: unknown, b: unknown): boolean {
  return (isEmpty(a) && isEmpty(b)) || isDeepStrictEqual(canonicalPolicy(parsed(a)), canonicalPolicy(parsed(b)));
}

function canonicalPolicy(document: unknown): unknown {
  if (!isBag(document)) return document;
  const { Statement, Id, ...rest } = document;
  const statements = listOf(Statement).map((statement) =>
    isBag(statement) ? canonicalStatement(statement) : statement,
  );
  return { ...rest, ...(isEmpty(Id) ? {} : { Id }), Statement: statements.map((one) => JSON.stringify(one)).sort() };
}

function canonicalStatement(statement: Bag): Bag {
  const members = Object.entries(statement).filter(([, value]) => !isEmpty(value));
  return sortedBag(Object.fromEntries(members.map(([key, value]) => [key, canonicalMember(key, value)])));
}

function canonicalMember(key: string, value: unknown): unknown {
  switch (key) {
    case "Principal":
    case "NotPrincipal":
      return sortedBag(mapBag(isBag(value) ? value : { AWS: value }, (names) => textSet(listOf(names).map(rootArn))));
    case "Condition":
      return isBag(value)
        ? sortedBag(mapBag(value, (test) => (isBag(test) ? sortedBag(mapBag(test, textSet)) : test)))
        : value;
    case "Action":
    case "NotAction":
    case "Resource":
    case "NotResource":
      return textSet(value);
    default:
      return value;
  }
}

function rootArn(principal: unknown): unknown {
  return typeof principal === "string" && /^\d{12}$/.test(principal) ? `arn:aws:iam::${principal}:root` : principal;
}

function textSet(value: unknown): string[] {
  return [...new Set(listOf(value).map(String))].sort();
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

function mapBag(bag: Bag, change: (value: unknown) => unknown): Bag {
  return Object.fromEntries(Object.entries(bag).map(([key, value]) => [key, change(value)]));
}

function sortedBag(bag: Bag): Bag {
  return Object.fromEntries(Object.entries(bag).sort(([a], [b]) => (a < b ? -1 : 1)));
}
