/**
 * What rebuild and proof of a document with redactions cost: processor time, one document after the other while this
 * process does nothing else.
 */
import { readFile } from "node:fs/promises";
import { brand } from "../processors/pre_uploader/brand.ts";
import { gather } from "../processors/pre_uploader/gather.ts";
import * as tasks from "../processors/pre_uploader/pdf-worker/tasks.ts";
import type { PdfTasks } from "../processors/pre_uploader/pdf-worker/pool.ts";
import { startPdfium } from "../processors/pre_uploader/pdf/pdfium.ts";
import { prove } from "../processors/pre_uploader/proof/proof.ts";
import { RedactedTerms } from "../processors/pre_uploader/proof/terms.ts";
import { rebuild } from "../processors/pre_uploader/rebuild/rebuild.ts";
import type { DocumentEngine } from "../processors/shared/document_engine/client.ts";
import { choices, type BenchDocument } from "./annotations-documents.ts";
import { median, tenths } from "../local/load/statistics.ts";

/** Milliseconds by what they are spent on. */
export type StepCosts = Record<"prepare" | "terms" | "separate" | "rebuild" | "proof", number>;

/** Processor time of this process since `before`. */
export function processorMilliseconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The median of the milliseconds that each step takes for a page; the first document is not counted. */
export async function costPerPage(engine: DocumentEngine, documents: readonly BenchDocument[]): Promise<StepCosts> {
  const wasm = await readFile(new URL(import.meta.resolve("@embedpdf/pdfium/pdfium.wasm")));
  const pdfium = await startPdfium(new Uint8Array(wasm));
  const costs: StepCosts[] = [];
  for (const { id, pdf, pages } of documents) {
    const cost: StepCosts = { prepare: 0, terms: 0, separate: 0, rebuild: 0, proof: 0 };
    const timed = async <T>(step: keyof StepCosts, work: () => T | Promise<T>): Promise<T> => {
      const before = process.cpuUsage();
      const result = await work();
      cost[step] += processorMilliseconds(before) / pages;
      return result;
    };
    const work: PdfTasks = {
      prepare: (original) => timed("prepare", () => tasks.prepare(pdfium, original)),
      terms: (...of) => timed("terms", () => tasks.terms(pdfium, ...of)),
      separate: (...of) => timed("separate", () => tasks.separate(pdfium, ...of)),
      finish: async (job) => {
        const { source, produced, redactions, drawn } = job;
        const terms = new RedactedTerms(job.terms);
        const isQuoting = (text: string) => terms.areIn(text);
        const rebuilt = await timed("rebuild", () => rebuild({ source, produced, redactions, isQuoting }));
        const claim = { source, redactions, terms: job.terms, drawn, isRebuilt: true, removed: rebuilt.removed };
        await timed("proof", () => prove(pdfium, rebuilt.pdf, claim));
        return rebuilt;
      },
    };
    const prepared = await work.prepare(pdf);
    const { sorted, attachments } = await gather(engine, id, choices);
    await brand({ engine, pdf: work }, prepared.bytes, [
      { engineDocumentId: id, branded: sorted.branded, attachments },
    ]);
    costs.push(cost);
  }
  const counted = costs.length > 1 ? costs.slice(1) : costs;
  const of = (step: keyof StepCosts) => tenths(median(counted.map((cost) => cost[step])));
  return {
    prepare: of("prepare"),
    terms: of("terms"),
    separate: of("separate"),
    rebuild: of("rebuild"),
    proof: of("proof"),
  };
}
