import { PermanentError } from "../../../contracts/errors.ts";
import { grown, intersection, touches } from "../pdf/geometry.ts";
import type { Box } from "../pdf/geometry.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import type { PageContent } from "../pdf/reader.ts";
import { SourcePdf } from "../pdf/source.ts";
import { rebuiltFaults } from "./rebuilt.ts";
import { stampFaults } from "./stamps.ts";
import type { Claim } from "./claim.ts";

export type { Claim, Drawn } from "./claim.ts";

/**
 * Proves that a produced PDF is what was claimed: what became part of the pages is live no more, links and form fields
 * stayed, stamps can be read; and of a rebuilt one that nothing is left of what its redactions hide.
 *
 * @throws PermanentError PROOF_FAILED that names page, kind of object and key path, and never quotes what was to be hidden
 */
export function prove(pdfium: Pdfium, produced: Uint8Array, claim: Claim): void {
  const { drawn, isRebuilt } = claim;
  const stamped = drawn.flatMap(({ pageIndex, text }) => (text === "" ? [] : [pageIndex]));
  const [before, after] = [new SourcePdf(pdfium, claim.source), new SourcePdf(pdfium, produced, stamped)];
  const faults = [
    ...annotationFaults(before.pages, after.pages, claim),
    ...stampFaults(after.pages, drawn),
    ...(isRebuilt ? rebuiltFaults(pdfium, produced, claim) : []),
  ];
  if (faults.length === 0) return;
  const listed = faults.slice(0, 10).join("; ");
  throw new PermanentError("PROOF_FAILED", `the produced PDF is not sent on, for ${faults.length} reasons: ${listed}`);
}

function annotationFaults(before: readonly PageContent[], after: readonly PageContent[], claim: Claim): string[] {
  if (after.length !== before.length) return [`it has ${after.length} pages, not ${before.length}`];
  const { redactions, isRebuilt, removed = {} } = claim;
  const isReported = isRebuilt && reportedLosses.some((noun) => (removed[noun] ?? 0) > 0);
  return after.flatMap(({ annotations }, index) => {
    const boxes = redactions.flatMap((one) => (one.pageIndex === index ? one.boxes : []));
    const kept = annotations.filter(({ kind }) => isKept(kind)).length;
    const expected = before[index]?.annotations.filter(
      ({ kind, box }) => isKept(kind) && !boxes.some((redacted) => touches(box, redacted)),
    );
    const under = annotations.filter(({ box }) => boxes.some((redacted) => isOn(box, redacted)));
    return [
      ...(annotations.some(({ kind }) => kind === "carried")
        ? [`annotations of page ${index + 1} are still live`]
        : []),
      ...(kept < (expected?.length ?? 0) && !isReported ? [`links or form fields of page ${index + 1} are lost`] : []),
      ...(under.length > 0 ? [`${under.length} annotations are left under redactions on page ${index + 1}`] : []),
    ];
  });
}

const reportedLosses = ["form fields", "signatures", "links", "hidden layers"];

function isKept(kind: string): boolean {
  return kind === "link" || kind === "widget";
}

/** By less than this an annotation may lie on a box that it only touches. In points. */
const slack = 0.5;

function isOn(box: Box, redacted: Box): boolean {
  return intersection(box, grown(redacted, -slack)) !== undefined;
}
