import { Image, PDFAnnotation, type PDFDocument, type PDFPage } from "mupdf";
import { isMarkup, redactionType, type AnnotationContent, type CommentContent } from "../content.ts";
import { plainText } from "../rich-text.ts";
import { markedQuadOf, quadOf, rectOf, rgb, type Box } from "./geometry.ts";
import { putString, writeExtras } from "./objects.ts";

/** An image that stickers show. */
export interface Attachment {
  contentType: string;
  bytes: Uint8Array;
}

const markups: Record<string, "Highlight" | "Underline" | "StrikeOut" | "Squiggly"> = {
  "pspdfkit/markup/highlight": "Highlight",
  "pspdfkit/markup/underline": "Underline",
  "pspdfkit/markup/strikeout": "StrikeOut",
  "pspdfkit/markup/squiggly": "Squiggly",
};
const icons: Record<string, string> = { comment: "Comment", note: "Note", help: "Help", insert: "Insert", key: "Key" };
const alignments: Record<string, number> = { left: 0, center: 1, right: 2 };
export const flagBits: Record<string, number> = {
  invisible: PDFAnnotation.IS_INVISIBLE,
  hidden: PDFAnnotation.IS_HIDDEN,
  noZoom: PDFAnnotation.IS_NO_ZOOM,
  noRotate: PDFAnnotation.IS_NO_ROTATE,
  noView: PDFAnnotation.IS_NO_VIEW,
  readOnly: PDFAnnotation.IS_READ_ONLY,
  locked: PDFAnnotation.IS_LOCKED,
  toggleNoView: PDFAnnotation.IS_TOGGLE_NO_VIEW,
  lockedContents: PDFAnnotation.IS_LOCKED_CONTENTS,
};

/** Puts a live annotation on its page. Returns its object number. */
export function drawAnnotation(
  pdf: PDFDocument,
  page: PDFPage,
  content: AnnotationContent,
  attachment: (id: string) => Attachment | undefined,
): number {
  if (content.type === "pspdfkit/link") return drawLink(pdf, page, content);
  const annotation = shapeOf(page, content, attachment);
  const object = annotation.getObject();
  if (content.opacity !== undefined && content.opacity < 1) annotation.setOpacity(content.opacity);
  if (content.creatorName) putString(object, "T", content.creatorName);
  for (const [key, date] of [
    ["CreationDate", content.createdAt],
    ["M", content.updatedAt],
  ] as const) {
    if (date !== undefined) putString(object, key, pdfDate(date));
  }
  const flags = content.flags ?? [];
  const print = flags.includes("noPrint") ? 0 : PDFAnnotation.IS_PRINT;
  annotation.setFlags(flags.reduce((bits, flag) => bits | (flagBits[flag] ?? 0), print));
  writeExtras(object, {
    customData: content.customData,
    imageAttachmentId: content.imageAttachmentId,
    verticalAlign: content["verticalAlign"],
    blendMode: content.blendMode,
    icon: content["icon"],
    type: content.type,
    richText: content.type === "pspdfkit/text" ? richText(content.text) : undefined,
  });
  const place = object.get("Rect");
  annotation.update();
  // The library gives icons a size of their own, from a corner that is another one on a turned page.
  if (annotation.getType() === "Text") object.put("Rect", place);
  return object.asIndirect();
}

function shapeOf(
  page: PDFPage,
  content: AnnotationContent,
  attachment: (id: string) => Attachment | undefined,
): PDFAnnotation {
  const { type, bbox } = content;
  if (type === redactionType) return drawRedaction(page, content);
  if (isMarkup(type)) {
    const markup = page.createAnnotation(markups[type] ?? "Highlight");
    markup.setQuadPoints((content.rects ?? [bbox]).map(markedQuadOf));
    markup.setColor(rgb(content.color ?? "#FCEE7C"));
    if (content.note) markup.setContents(content.note);
    return markup;
  }
  switch (type) {
    case "pspdfkit/text":
      return drawText(page, content);
    case "pspdfkit/image":
      return drawImage(page, content, attachment);
    case "pspdfkit/stamp": {
      const stamp = page.createAnnotation("Stamp");
      stamp.setRect(rectOf(bbox));
      stamp.setIcon(content.stampType ?? "Custom");
      const title = content["title"];
      if (typeof title === "string") stamp.setContents(title);
      return stamp;
    }
    case "pspdfkit/shape/rectangle":
    case "pspdfkit/shape/ellipse":
      return drawShape(page, content);
    case "pspdfkit/ink":
      return drawInk(page, content);
    default: {
      const note = page.createAnnotation("Text");
      note.setRect(rectOf(bbox));
      note.setContents(plainText(content.text));
      note.setColor(rgb(content.color ?? "#FCED8C"));
      note.setIcon(icons[String(content["icon"])] ?? "Note");
      return note;
    }
  }
}

function drawRedaction(page: PDFPage, content: AnnotationContent): PDFAnnotation {
  const redaction = page.createAnnotation("Redact");
  redaction.setRect(rectOf(content.bbox));
  redaction.setQuadPoints((content.rects ?? [content.bbox]).map(quadOf));
  const object = redaction.getObject();
  object.put("IC", rgb(content.fillColor ?? "#000000"));
  if (content.outlineColor) redaction.setColor(rgb(content.outlineColor));
  if (content.overlayText) {
    putString(object, "OverlayText", content.overlayText);
    if (content.repeatOverlayText) object.put("Repeat", true);
    const [r, g, b] = rgb(content.color ?? "#FFFFFF");
    putString(object, "DA", `${r} ${g} ${b} rg /Helv 9 Tf`);
  }
  return redaction;
}

function drawText(page: PDFPage, content: AnnotationContent): PDFAnnotation {
  const text = page.createAnnotation("FreeText");
  text.setRect(rectOf(content.bbox));
  text.setContents(plainText(content.text));
  const font = fontNames[String(content["font"])] ?? "Helv";
  text.setDefaultAppearance(font, content.fontSize ?? 12, rgb(content.fontColor ?? "#000000"));
  text.setQuadding(alignments[content.horizontalAlign ?? "left"] ?? 0);
  if (content.backgroundColor) text.setColor(rgb(content.backgroundColor));
  text.setBorderWidth(Number(content["borderWidth"] ?? 0));
  return text;
}
const fontNames: Record<string, string> = { "Times New Roman": "TiRo", Times: "TiRo", Courier: "Cour" };

function drawImage(
  page: PDFPage,
  content: AnnotationContent,
  attachment: (id: string) => Attachment | undefined,
): PDFAnnotation {
  const sticker = page.createAnnotation("Stamp");
  sticker.setRect(rectOf(content.bbox));
  const found = attachment(content.imageAttachmentId ?? "");
  if (found) sticker.setStampImage(new Image(found.bytes));
  const description = content["description"];
  if (typeof description === "string") putString(sticker.getObject(), "Subj", description);
  return sticker;
}

function drawShape(page: PDFPage, content: AnnotationContent): PDFAnnotation {
  const shape = page.createAnnotation(content.type === "pspdfkit/shape/ellipse" ? "Circle" : "Square");
  shape.setRect(rectOf(content.bbox));
  shape.setColor(rgb(content.strokeColor ?? "#2293FB"));
  if (content.fillColor) shape.setInteriorColor(rgb(content.fillColor));
  shape.setBorderWidth(content.strokeWidth ?? 1);
  return shape;
}

function drawInk(page: PDFPage, content: AnnotationContent): PDFAnnotation {
  const ink = page.createAnnotation("Ink");
  const { points = [] } = (content["lines"] ?? {}) as { points?: [number, number][][] };
  ink.setInkList(points);
  ink.setColor(rgb(content.strokeColor ?? "#2293FB"));
  ink.setBorderWidth(content.lineWidth ?? 1);
  return ink;
}

function drawLink(pdf: PDFDocument, page: PDFPage, content: AnnotationContent): number {
  const { uri, pageIndex = 0 } = (content["action"] ?? {}) as { uri?: string; pageIndex?: number };
  page.createLink(rectOf(content.bbox), uri ?? `#page=${pageIndex + 1}`);
  const list = page.getObject().get("Annots");
  const last = list.get(list.length - 1);
  if (last.isIndirect()) return last.asIndirect();
  const numbered = pdf.addObject(last);
  list.put(list.length - 1, numbered);
  return numbered.asIndirect();
}

/** The text of an annotation where it is XHTML, which the file keeps beside what it shows. */
function richText(text: AnnotationContent["text"]): string | undefined {
  return typeof text === "object" && text?.format === "xhtml" ? text.value : undefined;
}

/** A comment as PDF has it: a note that answers another annotation. */
export function drawReply(page: PDFPage, rootNumber: number, root: Box, comment: CommentContent): void {
  const reply = page.createAnnotation("Text");
  reply.setRect(rectOf(root));
  reply.setContents(plainText(comment.text));
  const object = reply.getObject();
  object.put("IRT", page._doc.newIndirect(rootNumber));
  object.put("RT", page._doc.newName("R"));
  if (comment.creatorName) putString(object, "T", comment.creatorName);
  if (comment.createdAt !== undefined) putString(object, "CreationDate", pdfDate(comment.createdAt));
  writeExtras(object, { richText: richText(comment.text) });
  reply.setFlags(PDFAnnotation.IS_HIDDEN);
  reply.update();
}

/** `D:YYYYMMDDHHmmSSZ`, whole seconds as the engine writes them. */
function pdfDate(iso: string): string {
  const date = new Date(iso);
  const digits = Number.isNaN(date.getTime()) ? "19700101000000" : date.toISOString().replace(/\D/g, "").slice(0, 14);
  return `D:${digits}Z`;
}
