import { z } from "zod";
import { makeUlid } from "./ids.ts";
import { readInstantJson } from "./instant-json.ts";
import type { Library } from "./library.ts";
import { PdfFile } from "./pdf/pdf-file.ts";
import { findRedactions } from "./redaction-search.ts";
import { badRequest, Refusal } from "./refusal.ts";

/** A file is named by its part of the multipart body. */
const fileName = z.string().min(1);
const action = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("applyInstantJson"), file: fileName }),
  z.looseObject({ type: z.literal("applyRedactions") }),
  z.looseObject({ type: z.literal("createRedactions"), strategy: z.string() }),
  z.looseObject({
    type: z.literal("flatten"),
    annotationIds: z.array(z.union([z.string(), z.int()])).optional(),
  }),
]);
type Action = z.infer<typeof action>;

const common = {
  password: z.string().optional(),
  pages: z.looseObject({ start: z.int().default(0), end: z.int().default(-1) }).optional(),
  actions: z.array(action).default([]),
};
const part = z.union([
  z.looseObject({ file: fileName, ...common }),
  z.looseObject({ document: z.looseObject({ id: z.string().min(1), layer: z.string().default("") }), ...common }),
]);
type Part = z.infer<typeof part>;

const instructions = z.looseObject({
  parts: z.array(part).min(1),
  actions: z.array(action).default([]),
  output: z
    .looseObject({
      type: z.literal("pdf").default("pdf"),
      metadata: z.looseObject({ title: z.string().optional(), author: z.string().optional() }).default({}),
    })
    .prefault({}),
});

/** A file in progress; `numbers` maps the ids of stored and of applied annotations to their object numbers. */
interface Work {
  file: PdfFile;
  numbers: Map<string, number>;
}

interface BuildInput {
  instructions: unknown;
  files: ReadonlyMap<string, Uint8Array>;
  /** The document that `#self` means. */
  self?: { id: string; layer: string };
}

/**
 * Carries out Build instructions and returns the PDF. What the stand-in does not know is refused like what is malformed.
 * @throws Refusal 400 in the shape of Build errors
 */
export function build(library: Library, input: BuildInput): Uint8Array {
  const requestId = makeUlid(library.ids);
  const parsed = instructions.safeParse(input.instructions);
  if (!parsed.success) {
    const failingPaths = parsed.error.issues.map(({ path, message }) => ({ path: jsonPath(path), details: message }));
    throw malformed(requestId, "The request is malformed", failingPaths);
  }
  const { parts, actions, output } = parsed.data;
  const opened: PdfFile[] = [];
  const keep = (file: PdfFile) => {
    opened.push(file);
    return file;
  };
  try {
    const works = parts.map((part) => {
      const work = openPart(library, part, input, keep);
      if (part.pages) work.file.keepPages(part.pages.start, part.pages.end);
      for (const step of part.actions) carryOut(step, work, input.files);
      return work;
    });
    const [first] = works;
    const whole =
      works.length === 1 && first ? first : { file: keep(merged(works)), numbers: new Map<string, number>() };
    for (const step of actions) carryOut(step, whole, input.files);
    if (output.metadata.title !== undefined) whole.file.setMetadata("Title", output.metadata.title);
    if (output.metadata.author !== undefined) whole.file.setMetadata("Author", output.metadata.author);
    if (actions.length || parts.some((part) => part.actions.length)) whole.file.loseCatalogKeys();
    return whole.file.save();
  } catch (error) {
    if (error instanceof Refusal && error.status === 400) throw malformed(requestId, error.message, []);
    throw error;
  } finally {
    for (const file of opened) file.close();
  }
}

function openPart(library: Library, part: Part, input: BuildInput, keep: (file: PdfFile) => PdfFile): Work {
  if ("file" in part && typeof part.file === "string") {
    return { file: keep(PdfFile.open(fileOf(input.files, part.file), part.password)), numbers: new Map() };
  }
  const asked = z.looseObject({ id: z.string(), layer: z.string() }).parse(part["document"]);
  const { id, layer } = asked.id === "#self" && input.self ? input.self : asked;
  const { file, numbers } = library.render(library.layer(id, layer, part.password), part.password);
  return { file: keep(file), numbers };
}

function merged(works: readonly Work[]): PdfFile {
  return PdfFile.merge(works.map(({ file }) => file));
}

function carryOut(step: Action, { file, numbers }: Work, files: ReadonlyMap<string, Uint8Array>): void {
  switch (step.type) {
    case "applyInstantJson":
      for (const [id, number] of applyInstantJson(file, fileOf(files, step.file))) numbers.set(id, number);
      break;
    case "applyRedactions":
      file.applyRedactions();
      break;
    case "createRedactions":
      file.add(findRedactions(file, step), () => undefined);
      break;
    case "flatten":
      file.flatten(flattenTarget(step.annotationIds, numbers));
  }
}

/** Object numbers of the file given, ids of a stored document and of applied Instant JSON; others are ignored. */
function flattenTarget(
  annotationIds: readonly (string | number)[] | undefined,
  numbers: ReadonlyMap<string, number>,
): ReadonlySet<number> | "all" {
  if (!annotationIds) return "all";
  return new Set(annotationIds.flatMap((id) => (typeof id === "number" ? id : (numbers.get(id) ?? []))));
}

/** Puts the annotations of an Instant JSON document into a PDF. Returns the object number of each id. */
export function applyInstantJson(file: PdfFile, bytes: Uint8Array): Map<string, number> {
  const { annotations, comments, attachments, skipped } = readInstantJson(jsonOf(bytes), { pageCount: file.pageCount });
  file.remove(new Set(skipped));
  const numbers = file.add(
    annotations.map(({ content }) => content),
    (id) => attachments.get(id),
  );
  for (const [index, { id, content }] of annotations.entries()) {
    const thread = comments.filter((comment) => id !== undefined && comment.content.rootId === id);
    if (thread.length) {
      file.addComments(
        { number: numbers[index] ?? 0, content },
        thread.map((comment) => comment.content),
      );
    }
  }
  return new Map(annotations.flatMap(({ id }, index) => (id === undefined ? [] : [[id, numbers[index] ?? 0]])));
}

/** @throws Refusal 400 */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw badRequest("INVALID_JSON", "the bytes are no JSON: send a JSON document");
  }
}

function fileOf(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = files.get(name);
  if (!bytes) throw badRequest("MISSING_PART", `the body has no part '${name}': send one under that name`);
  return bytes;
}

function jsonPath(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .reduce((all, step) => all + step, "$");
}

function malformed(requestId: string, details: string, failingPaths: readonly { path: string; details: string }[]) {
  return badRequest("MALFORMED_BUILD", details, { details, status: 400, requestId, failingPaths });
}
