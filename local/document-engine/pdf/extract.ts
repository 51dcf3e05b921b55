import { PDFAnnotation, type PDFDocument, type PDFObject, type PDFPage } from "mupdf";
import { canBeRoot, redactionType, type AnnotationContent, type CommentContent } from "../content.ts";
import { flagBits, type Attachment } from "./draw.ts";
import {
  boxOfObject,
  entry,
  markedBoxes,
  numbersOf,
  onPage,
  parentOf,
  readExtras,
  stringOf,
  subtype,
  annotationObjects,
} from "./objects.ts";
import { hexOf, hull } from "./geometry.ts";

/** An annotation that is part of a PDF, its images and the answers to it. */
export interface Extracted {
  content: AnnotationContent & { pdfObjectId: number };
  attachments: Map<string, Attachment>;
  comments: Omit<CommentContent, "rootId">[];
}

const types: Record<string, string> = {
  Redact: redactionType,
  Highlight: "pspdfkit/markup/highlight",
  Underline: "pspdfkit/markup/underline",
  StrikeOut: "pspdfkit/markup/strikeout",
  Squiggly: "pspdfkit/markup/squiggly",
  Text: "pspdfkit/note",
  FreeText: "pspdfkit/text",
  Stamp: "pspdfkit/stamp",
  Square: "pspdfkit/shape/rectangle",
  Circle: "pspdfkit/shape/ellipse",
  Ink: "pspdfkit/ink",
  Link: "pspdfkit/link",
};
const alignments = ["left", "center", "right"];

/** The annotations of a file in the order of its pages; kinds that Instant JSON does not know stay in the file unseen. */
export function extractAnnotations(pdf: PDFDocument): Extracted[] {
  return Array.from({ length: pdf.countPages() }, (_, index) =>
    onPage(pdf, index, (page) => {
      const objects = annotationObjects(pdf, page);
      const threads = Map.groupBy(objects, (object) => rootOf(object, objects));
      return (threads.get(undefined) ?? [])
        .filter((object) => types[subtype(object)] !== undefined)
        .map((object) => extractOne(pdf, page, index, object, threads.get(object.asIndirect()) ?? []));
    }),
  ).flat();
}

/** The number of the annotation whose thread an answer is part of. Answers to what has no threads stand for themselves. */
function rootOf(object: PDFObject, siblings: readonly PDFObject[]): number | undefined {
  if (subtype(object) !== "Text") return undefined;
  const passed = new Set<number>();
  let root = object;
  for (let number = parentOf(object); number !== undefined && !passed.has(number); number = parentOf(root)) {
    passed.add(number);
    const parent = siblings.find((sibling) => sibling.asIndirect() === number);
    if (!parent) return undefined;
    root = parent;
  }
  return passed.size && canBeRoot(types[subtype(root)] ?? "") ? root.asIndirect() : undefined;
}

function extractOne(
  pdf: PDFDocument,
  page: PDFPage,
  pageIndex: number,
  object: PDFObject,
  answers: readonly PDFObject[],
): Extracted {
  const { imageAttachmentId, ...extras } = readExtras(object);
  delete extras["richText"];
  const opacity = object.get("CA");
  const common = {
    v: 2 as const,
    type: types[subtype(object)] ?? "",
    pageIndex,
    bbox: hull(rectsOf(object, page)),
    opacity: opacity.isNumber() ? opacity.asNumber() : 1,
    pdfObjectId: object.asIndirect(),
    ...present({
      name: stringOf(object, "NM"),
      creatorName: stringOf(object, "T"),
      createdAt: isoDate(stringOf(object, "CreationDate")),
      updatedAt: isoDate(stringOf(object, "M")),
      flags: flagsOf(object),
    }),
  };
  const attachments = new Map<string, Attachment>();
  const image = common.type === "pspdfkit/stamp" ? imageOf(pdf, object) : undefined;
  let own = ownKeys(object, page, common.type);
  if (image) {
    const id = typeof imageAttachmentId === "string" ? imageAttachmentId : String(image.number);
    attachments.set(id, image.attachment);
    const subject = stringOf(object, "Subj");
    own = {
      type: "pspdfkit/image",
      imageAttachmentId: id,
      contentType: image.attachment.contentType,
      ...present({ subject }),
    };
  }
  const comments = answers.map((reply) => commentOf(reply, pageIndex));
  const content = { ...common, ...own, ...extras, ...(comments.length && { isCommentThreadRoot: true }) };
  return { content, attachments, comments };
}

function ownKeys(object: PDFObject, page: PDFPage, type: string): Record<string, unknown> {
  const color = hexOf(numbersOf(object, "C"));
  const contents = stringOf(object, "Contents");
  const text = textOf(object);
  switch (type) {
    case redactionType:
      return {
        rects: rectsOf(object, page),
        ...present({
          fillColor: hexOf(numbersOf(object, "IC")),
          outlineColor: color,
          overlayText: stringOf(object, "OverlayText"),
        }),
      };
    case "pspdfkit/note":
      return { text, icon: "note", color: color ?? "#FCED8C" };
    case "pspdfkit/text": {
      const [, size] = /([\d.]+) Tf/.exec(stringOf(object, "DA") ?? "") ?? [];
      const quadding = object.get("Q");
      return {
        text,
        fontSize: Number(size ?? 12),
        font: "Helvetica",
        fontColor: "#000000",
        horizontalAlign: alignments[quadding.isNumber() ? quadding.asNumber() : 0] ?? "left",
        verticalAlign: "top",
        ...present({ backgroundColor: color }),
      };
    }
    case "pspdfkit/stamp": {
      const name = object.get("Name");
      return { stampType: name.isName() ? name.asName() : "Custom", ...present({ title: contents }) };
    }
    case "pspdfkit/shape/rectangle":
    case "pspdfkit/shape/ellipse":
      return {
        strokeWidth: borderWidth(object),
        ...present({ strokeColor: color, fillColor: hexOf(numbersOf(object, "IC")) }),
      };
    case "pspdfkit/ink":
      return {
        lineWidth: borderWidth(object),
        isDrawnNaturally: false,
        lines: inkLines(object, page),
        ...present({ strokeColor: color }),
      };
    case "pspdfkit/link":
      return { action: actionOf(object) };
    default:
      return {
        rects: rectsOf(object, page),
        color: color ?? "#FCEE7C",
        blendMode: "multiply",
        ...present({ note: contents }),
      };
  }
}

/** The text of an annotation: XHTML where it was given as that, but notes keep what they show. */
function textOf(object: PDFObject): { format: "plain" | "xhtml"; value: string } {
  const { richText } = readExtras(object);
  if (typeof richText === "string") return { format: "xhtml", value: richText };
  return { format: "plain", value: stringOf(object, "Contents") ?? "" };
}

/** Where a link leads: to an address, or to a place in a document, by its name or by its page. */
function actionOf(link: PDFObject): Record<string, unknown> {
  const action = link.get("A");
  const uri = stringOf(action, "URI");
  if (uri !== undefined) return { type: "uri", uri };
  const own = link.get("Dest");
  const place = own.isNull() ? entry(action, "D") : own;
  if (place.isString()) return { type: "goTo", name: place.asString() };
  if (place.isName()) return { type: "goTo", name: place.asName() };
  const page = entry(place, 0);
  const index = page.isIndirect() ? pageIndexOf(link._doc, page.asIndirect()) : page.isNumber() ? page.asNumber() : 0;
  return { type: "goTo", pageIndex: index };
}

function pageIndexOf(pdf: PDFDocument, number: number): number {
  for (let index = 0; index < pdf.countPages(); index++) {
    if (pdf.findPage(index).asIndirect() === number) return index;
  }
  return 0;
}

function rectsOf(object: PDFObject, page: PDFPage) {
  const marked = markedBoxes(object, page);
  return marked.length ? marked : [boxOfObject(object, page)];
}

function borderWidth(object: PDFObject): number {
  const width = object.get("BS", "W");
  return width.isNumber() ? width.asNumber() : 1;
}

function inkLines(object: PDFObject, page: PDFPage) {
  const ink = page.getAnnotations().find((candidate) => candidate.getObject().asIndirect() === object.asIndirect());
  const points = ink?.getInkList() ?? [];
  return { points, intensities: points.map((stroke) => stroke.map(() => 1)) };
}

/** The picture that a stamp shows, where it shows just one. */
function imageOf(pdf: PDFDocument, object: PDFObject): { number: number; attachment: Attachment } | undefined {
  const pictures: PDFObject[] = [];
  object.get("AP", "N", "Resources", "XObject").forEach((item) => {
    if (subtype(item) === "Image") pictures.push(item);
  });
  const [picture] = pictures;
  if (!picture || pictures.length > 1) return undefined;
  const filter = picture.get("Filter");
  const number = picture.asIndirect();
  if (filter.isName() && filter.asName() === "DCTDecode") {
    return { number, attachment: { contentType: "image/jpeg", bytes: copyOf(picture.readRawStream().asUint8Array()) } };
  }
  const pixels = pdf.loadImage(picture).toPixmap();
  return { number, attachment: { contentType: "image/png", bytes: copyOf(pixels.asPNG()) } };
}

/** Bytes of the library's own memory do not outlive the file. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}

function commentOf(reply: PDFObject, pageIndex: number): Omit<CommentContent, "rootId"> {
  return {
    type: "pspdfkit/comment",
    v: 2,
    pageIndex,
    text: textOf(reply),
    pdfObjectId: reply.asIndirect(),
    ...present({ creatorName: stringOf(reply, "T"), createdAt: isoDate(stringOf(reply, "CreationDate")) }),
  };
}

function flagsOf(object: PDFObject): string[] | undefined {
  const value = object.get("F");
  const bits = value.isNumber() ? value.asNumber() : 0;
  const flags = Object.entries(flagBits).flatMap(([name, bit]) => (bits & bit ? [name] : []));
  if (!(bits & PDFAnnotation.IS_PRINT)) flags.unshift("noPrint");
  return flags.length ? flags : undefined;
}

function isoDate(pdfDate: string | undefined): string | undefined {
  const [, year, month = "01", day = "01", hour = "00", minute = "00", second = "00", zone = "Z"] =
    /^D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?([+-]\d\d'?\d\d|Z)?/.exec(pdfDate ?? "") ?? [];
  if (year === undefined) return undefined;
  const offset = zone === "Z" ? "Z" : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace(/\.\d+Z$/, "Z");
}

/** Absent keys instead of empty ones, as Instant JSON has it. */
function present<T extends Record<string, unknown>>(keys: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined && value !== null)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
