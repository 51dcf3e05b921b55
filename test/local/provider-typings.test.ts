/** The names that the local provider knows are those of `@pulumi/aws`, no more and no fewer. */
import { expect } from "chai";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import ts from "typescript";
import { configurationNames, unsupportedConfiguration } from "../../local/provider/configuration.ts";
import type { ResourceType } from "../../local/provider/resource.ts";
import type { Shape } from "../../local/provider/schema.ts";
import { resourceTypes } from "../../local/provider/types/index.ts";

const official = dirname(createRequire(import.meta.url).resolve("@pulumi/aws/package.json"));

/** A member of an official interface. */
interface Member {
  name: string;
  optional: boolean;
  /** `string`, `number`, `boolean`, `map`, `list`, `asset`, or the name of the input type that it refers to. */
  kind: string;
}

function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
}

const membersOf = (node: ts.InterfaceDeclaration, source: ts.SourceFile): Member[] =>
  node.members.filter(ts.isPropertySignature).map((member) => ({
    name: member.name.getText(source),
    optional: member.questionToken !== undefined,
    kind: kindOf(member.type?.getText(source) ?? ""),
  }));

/** What is left of a type when `pulumi.Input<…>` and `undefined` are peeled off. */
function kindOf(text: string): string {
  const bare = text.replace(/pulumi\.Input<|[>\s]/g, "").replaceAll("|undefined", "");
  if (bare.startsWith("{[key:string]")) return "map";
  if (bare.includes("[]")) return `list ${bare.replace("[]", "")}`;
  if (bare.includes("pulumi.asset.")) return "asset";
  const [first = "", ...others] = bare.split("|");
  // `string | PolicyDocument`, `string | Role`, `string | enums.…` are all given as text in the end.
  return others.includes("string") || first === "string" ? "string" : first;
}

function interfacesOf(source: ts.SourceFile): Map<string, Member[]> {
  const found = new Map<string, Member[]>();
  source.forEachChild((node) => {
    if (ts.isInterfaceDeclaration(node)) found.set(node.name.text, membersOf(node, source));
  });
  return found;
}

/** All of `inputs.<module>.<Name>`, read once. */
const inputTypes = new Map<string, Member[]>();

function readInputTypes(): void {
  const source = parse(join(official, "types", "input.d.ts"));
  source.forEachChild((node) => {
    if (!ts.isModuleDeclaration(node) || node.body === undefined || !ts.isModuleBlock(node.body)) return;
    for (const statement of node.body.statements) {
      if (!ts.isInterfaceDeclaration(statement)) continue;
      inputTypes.set(`inputs.${node.name.text}.${statement.name.text}`, membersOf(statement, source));
    }
  });
}

/** `aws:sqs/queue:Queue` → the members of QueueArgs and QueueState. */
function officialType(token: string): { args: Member[]; state: Member[] } {
  const [, path = "", name = ""] = token.split(":");
  const all = interfacesOf(parse(join(official, `${path}.d.ts`)));
  return { args: all.get(`${name}Args`) ?? [], state: all.get(`${name}State`) ?? [] };
}

const sorted = (names: Iterable<string>) => [...new Set(names)].sort();

/** Paths of the fields in which an object of ours differs from the official one, `rules.filter.prefix`. */
function fieldFaults(type: ResourceType, shape: Shape, officialKind: string, path: string): string[] {
  const inner = shape.kind === "list" && shape.of?.kind === "object" ? shape.of : shape;
  const members = inputTypes.get(officialKind.replace("list ", ""));
  if (inner.kind !== "object") return [];
  if (members === undefined) return [`${path}: ${officialKind} was not found`];
  const fields = inner.fields ?? {};
  return [
    ...Object.keys(fields).flatMap((name) =>
      members.some((one) => one.name === name) ? [] : [`${path}.${name}: unknown`],
    ),
    ...members.flatMap((member) => {
      const field = fields[member.name];
      const fieldPath = `${path}.${member.name}`;
      if (field === undefined) return type.unsupported.includes(fieldPath) ? [] : [`${fieldPath}: missing`];
      const required = (field.role === "required") === !member.optional ? [] : [`${fieldPath}: required or not`];
      return [
        ...required,
        ...kindFaults(field, member.kind, fieldPath),
        ...fieldFaults(type, field, member.kind, fieldPath),
      ];
    }),
  ];
}

function kindFaults(shape: Shape, kind: string, path: string): string[] {
  const ours = shape.kind === "document" ? "string" : shape.kind;
  const theirs = kind.startsWith("inputs.") ? "object" : (kind.split(" ")[0] ?? "");
  return ours === theirs ? [] : [`${path}: ${ours} instead of ${theirs}`];
}

describe("the local provider's names, held against the typings of @pulumi/aws", () => {
  before(readInputTypes);

  for (const [token, type] of resourceTypes) {
    it(`knows or lists as unsupported every property of ${token}, and no other`, () => {
      // Prepare
      const { args, state } = officialType(token);
      const unsupported = type.unsupported.filter((name) => !name.includes("."));

      // Act
      const inputs = Object.keys(type.properties).filter((name) => type.properties[name]?.role !== "output");
      const outputs = Object.keys(type.properties).filter((name) => type.properties[name]?.role === "output");
      const officialInputs = sorted(args.map(({ name }) => name));
      const officialOutputs = sorted(state.map(({ name }) => name)).filter((name) => !officialInputs.includes(name));

      // Assess
      expect(sorted([...inputs, ...unsupported.filter((name) => officialInputs.includes(name))])).to.deep.equal(
        officialInputs,
      );
      expect(sorted([...outputs, ...unsupported.filter((name) => !officialInputs.includes(name))])).to.deep.equal(
        officialOutputs,
      );
      expect(unsupported.filter((name) => name in type.properties)).to.deep.equal([]);
    });

    it(`gives every property of ${token} its official type, and its fields their names`, () => {
      // Prepare
      const { args, state } = officialType(token);
      const members = new Map([...state, ...args].map((member) => [member.name, member]));

      // Act
      const faults = Object.entries(type.properties).flatMap(([name, property]) => {
        const member = members.get(name);
        if (member === undefined) return [`${name}: not found`];
        return [...kindFaults(property, member.kind, name), ...fieldFaults(type, property, member.kind, name)];
      });
      const required = Object.keys(type.properties).filter((name) => type.properties[name]?.role === "required");
      const officiallyRequired = args.filter(({ optional }) => !optional).map(({ name }) => name);

      // Assess
      expect(faults).to.deep.equal([]);
      expect(sorted(officiallyRequired.filter((name) => !required.includes(name)))).to.deep.equal([]);
    });
  }

  it("knows or lists as unsupported every argument of the provider itself, and no other", () => {
    // Prepare
    const args = interfacesOf(parse(join(official, "provider.d.ts"))).get("ProviderArgs") ?? [];

    // Act
    const ours = sorted([...configurationNames, ...unsupportedConfiguration]);

    // Assess
    expect(ours).to.deep.equal(sorted(args.map(({ name }) => name)));
  });
});
