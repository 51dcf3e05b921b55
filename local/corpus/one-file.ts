import type { AnnotationChoices } from "../../contracts/annotations.ts";
import { PermanentError } from "../../contracts/errors.ts";
import type { Finding } from "./judge/redaction.ts";
import { judge } from "./judge/judge.ts";
import { planEvenly, planWanted, readOriginal, hiddenBy, type Original, type Plan } from "./original.ts";
import type { Pipeline, SentOn } from "./pipeline.ts";
import { batesRecord, redactionRecord, redactionsIn } from "./records.ts";
import type { Box } from "./reader/matrix.ts";
import type { Wanted } from "./words-file.ts";

/** What became of one PDF. */
export interface FileReport {
  file: string;
  /** `crashed`: failed with an error that is none of ours, or one that says to try again. */
  outcome: "produced" | "refused" | "unreadable" | "crashed";
  code?: string;
  message?: string;
  /** The texts that were redacted. */
  texts: string[];
  boxes: ({ pageIndex: number } & Box)[];
  /** Of the Pre-Uploader, calls to Document Engine included; without the reading and judging of this command. */
  seconds: number;
  removed: Record<string, number>;
  leaks: Finding[];
}

interface FileWork {
  file: string;
  number: number;
  bytes: Uint8Array;
  withRedactions: boolean;
  /** Its line in the words file. */
  wanted: Wanted | undefined;
}

/** Codes of the Pre-Uploader for files that nobody can read. */
const unreadableCodes = new Set(["PDF_DAMAGED", "PDF_PROTECTED", "PDF_EMPTY", "DOCUMENT_ENGINE_REFUSED"]);

/** Sends one PDF through, and has what comes out judged. */
export async function sendThrough(
  pipeline: Pipeline,
  work: FileWork,
): Promise<{ report: FileReport; sentOn: SentOn | undefined }> {
  const { file, number, bytes, withRedactions } = work;
  const original = await readOriginal(bytes).catch(() => undefined);
  const plan = planOf(original, work);
  const { places } = plan;
  const texts = [...new Set(places.map(({ text }) => text).filter((text) => text !== ""))];
  const boxes = places.flatMap(({ pageIndex, boxes: own }) => own.map((box) => ({ pageIndex, ...box })));
  const first = original?.pages[0] ?? { width: 612, height: 792, glyphs: [], toShown: [1, 0, 0, -1, 0, 792] as const };
  const records = [...places.map(redactionRecord), batesRecord(first, number, places)];
  const choices: AnnotationChoices = { redactionsAs: withRedactions ? "brand_in" : "leave", batesAs: "brand_in" };
  const report = { file, texts, boxes, seconds: 0, removed: {}, leaks: [] };
  const started = performance.now();
  const seconds = () => Math.round(performance.now() - started) / 1000;
  let taken = 0;
  try {
    const placed = await pipeline.place(number, bytes, records);
    const redactions = withRedactions ? redactionsIn(placed) : [];
    const sentOn = await pipeline.preUpload(number, bytes, choices);
    taken = seconds();
    const leaks = original
      ? await judge(sentOn.pdf, sentOn.layers, {
          redactions,
          ...hiddenBy(original, plan, redactions),
          thoroughness: plan.isEverywhere ? "everything" : "what people read",
          pages: original.pages.length,
        })
      : [];
    return { report: { ...report, outcome: "produced", seconds: taken, removed: sentOn.removed, leaks }, sentOn };
  } catch (error) {
    return {
      report: { ...report, ...failure(error, original !== undefined), seconds: taken || seconds() },
      sentOn: undefined,
    };
  }
}

function planOf(original: Original | undefined, { withRedactions, wanted }: FileWork): Plan {
  if (!withRedactions || !original) return { places: [], texts: [], isEverywhere: false };
  return wanted ? planWanted(original, wanted) : planEvenly(original);
}

function failure(error: unknown, isReadable: boolean): Pick<FileReport, "outcome" | "code" | "message"> {
  if (error instanceof PermanentError) {
    const { code, message } = error;
    return { outcome: !isReadable && unreadableCodes.has(code) ? "unreadable" : "refused", code, message };
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "UNEXPECTED";
  return { outcome: "crashed", code, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
