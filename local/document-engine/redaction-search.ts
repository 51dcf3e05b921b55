import { z } from "zod";
import { annotationContent, redactionType, type AnnotationContent } from "./content.ts";
import { hull } from "./pdf/geometry.ts";
import type { PdfFile } from "./pdf/pdf-file.ts";
import { unprocessable } from "./refusal.ts";

/** The patterns that the engine knows by name; of its thirteen those that documents of ours hold. */
const presets: Record<string, RegExp> = {
  "credit-card-number": /\b(?:\d[ -]?){13,16}\b/,
  "email-address": /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/,
  ipv4: /\b(?:\d{1,3}\.){3}\d{1,3}\b/,
  "north-american-phone-number": /(?:\+1[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}\b/,
  "social-security-number": /\b\d{3}-\d{2}-\d{4}\b/,
  url: /https?:\/\/\S+/,
};

const request = z.looseObject({
  strategy: z.enum(["preset", "regex", "text"]),
  strategyOptions: z.looseObject({
    preset: z.string().optional(),
    regex: z.string().min(1).optional(),
    text: z.string().min(1).optional(),
    caseSensitive: z.boolean().optional(),
    start: z.int().nonnegative().default(0),
    limit: z.int().positive().optional(),
  }),
  content: z.record(z.string(), z.unknown()).default({}),
});

/**
 * Redactions over everything that a search finds in the text of the pages.
 * @throws Refusal 422 for a search that the engine does not know
 */
export function findRedactions(file: PdfFile, given: unknown): AnnotationContent[] {
  const parsed = request.safeParse(given);
  if (!parsed.success) throw invalid("strategy");
  const { strategyOptions: options, content } = parsed.data;
  const pattern = patternOf(parsed.data);
  const end = options.limit === undefined ? file.pageCount : Math.min(file.pageCount, options.start + options.limit);
  const pages = Array.from({ length: Math.max(0, end - options.start) }, (_, index) => options.start + index);
  return pages.flatMap((pageIndex) =>
    file.find(pageIndex, pattern).map((rects) =>
      annotationContent.parse({
        opacity: 1,
        ...content,
        v: 2,
        type: redactionType,
        pageIndex,
        rects,
        bbox: hull(rects),
      }),
    ),
  );
}

function patternOf({ strategy, strategyOptions: options }: z.infer<typeof request>): RegExp {
  if (strategy === "preset") {
    const preset = presets[options.preset ?? ""];
    if (!preset) throw invalid("strategyOptions");
    return preset;
  }
  const source = strategy === "text" && options.text !== undefined ? escaped(options.text) : options.regex;
  if (source === undefined) throw invalid("strategyOptions");
  const sensitive = options.caseSensitive ?? strategy === "regex";
  try {
    return new RegExp(source, sensitive ? "u" : "iu");
  } catch {
    throw invalid("strategyOptions");
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function invalid(key: string) {
  return unprocessable("INVALID_REDACTIONS", `${key} is invalid`, { error: { [key]: ["is invalid"] } });
}
