/** Annotations of a page: links, form fields and drawings of the source document; all others go, and are counted. */
import { PDFDict, PDFRef } from "@cantoo/pdf-lib";
import type { PDFObject } from "@cantoo/pdf-lib";
import { touches } from "../pdf/geometry.ts";
import type { Box } from "../pdf/geometry.ts";
import type { Redaction } from "../redaction.ts";
import type { Copier } from "./copier.ts";
import { setTarget } from "./destinations.ts";
import type { Destinations } from "./destinations.ts";
import { isHidden } from "./drawing.ts";
import { Place } from "./faults.ts";
import { fullName } from "./fields.ts";
import type { Form } from "./fields.ts";
import { drawings } from "./grammar.ts";
import { rectangleOf, shownOn } from "./pages.ts";
import type { SourcePage } from "./pages.ts";
import { key } from "./reading.ts";
import type { Reading } from "./reading.ts";
import type { Removals } from "./removals.ts";

/** What a person calls the annotations that are not carried. */
const removedKinds: Readonly<Record<string, string>> = {
  FileAttachment: "attachments",
  ...{ Sound: "media", Movie: "media", Screen: "media", "3D": "media", RichMedia: "media" },
};

interface AnnotationJob {
  copier: Copier;
  form: Form;
  destinations: Destinations;
  removals: Removals;
  page: SourcePage;
  place: Place;
  /** Of the redactions of the page. */
  boxes: readonly Box[];
}

export function copyAnnotations(job: AnnotationJob): PDFRef[] {
  const { reading } = job.copier;
  const raws = reading.resolve(job.page.get("Annots"));
  const elements = raws !== undefined && "asArray" in raws ? (raws as { asArray: () => PDFObject[] }).asArray() : [];
  return elements.flatMap((raw) => {
    const dict = reading.resolve(raw);
    return dict instanceof PDFDict ? (copyAnnotation(job, dict) ?? []) : [];
  });
}

function copyAnnotation(job: AnnotationJob, dict: PDFDict): PDFRef | undefined {
  const { copier, form, removals, place } = job;
  const subtype = copier.reading.name(dict, "Subtype") ?? "";
  if (isHidden(copier, dict)) return undefined;
  if (subtype === "Widget") return form.widget(dict, place.page);
  if (isUnder(job, dict)) {
    removals.count(subtype === "Link" ? "links" : "annotations");
    return undefined;
  }
  if (subtype === "Link") return copyLink(job, dict);
  if (drawings.includes(subtype)) {
    const copy = copier.target.obj({});
    copier.copyKeys("drawing", dict, copy, place.at("Annots", "drawing"));
    return copier.target.register(copy);
  }
  if (subtype !== "Popup") removals.count(removedKinds[subtype] ?? "annotations");
  return undefined;
}

/** By less than this an annotation may lie on a box that it only touches. In points. */
const slack = 0.5;

/** What lies on a redaction would show on it, or lead to what it hides. */
function isUnder({ copier, page, boxes }: AnnotationJob, dict: PDFDict): boolean {
  const { reading } = copier;
  const rectangle = boxes.length > 0 ? rectangleOf(reading, reading.raw(dict, "Rect")) : undefined;
  if (rectangle === undefined) return false;
  const box = shownOn(reading, page)(rectangle);
  return boxes.some(({ left, top, right, bottom }) =>
    touches(box, { left: left + slack, top: top + slack, right: right - slack, bottom: bottom - slack }),
  );
}

/** A link that leads nowhere any more keeps its place: what it leads to is what is counted. */
function copyLink({ copier, destinations, removals, place }: AnnotationJob, dict: PDFDict): PDFRef {
  const copy = copier.target.obj({});
  copier.copyKeys("link", dict, copy, place.at("Annots", "link"));
  for (const name of ["A", "Dest"]) copy.delete(key(name));
  const target = destinations.target(dict);
  setTarget(copy, target);
  const { reading } = copier;
  if (target === undefined && (reading.get(dict, "A") ?? reading.get(dict, "Dest")) !== undefined) {
    removals.count("link targets");
  }
  return copier.target.register(copy);
}

/** The full names of the fields with a widget that touches a redaction. */
export function touchedFields(
  reading: Reading,
  pages: readonly SourcePage[],
  redactions: readonly Redaction[],
): Set<string> {
  const names = new Set<string>();
  for (const [pageIndex, boxes] of boxesByPage(redactions)) {
    const page = pages[pageIndex];
    if (page === undefined) continue;
    const shown = shownOn(reading, page);
    for (const annotation of reading.list(page.get("Annots")) ?? []) {
      if (!(annotation instanceof PDFDict) || reading.name(annotation, "Subtype") !== "Widget") continue;
      const rectangle = rectangleOf(reading, reading.raw(annotation, "Rect"));
      const box = rectangle && shown(rectangle);
      if (box && boxes.some((redacted) => touches(box, redacted))) names.add(fullName(reading, annotation));
    }
  }
  return names;
}

export function boxesByPage(redactions: readonly Redaction[]): Map<number, Box[]> {
  const boxes = new Map<number, Box[]>();
  for (const { pageIndex, boxes: own } of redactions) {
    boxes.set(pageIndex, [...(boxes.get(pageIndex) ?? []), ...own]);
  }
  return boxes;
}
