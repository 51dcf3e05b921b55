/** What reviewers have drawn on a document: every kind of annotation, on a page of words at known places. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ReviewLayer } from "./builder.ts";
import { makePng } from "./content/natives.ts";
import { pageSize, type Sheet } from "./content/pdf.ts";
import type { AddedDocument } from "./documents.ts";

/** What the maker of a reviewed document knows of it, for checks. */
export interface ReviewedDocument {
  documentId: string;
  exhibits: { exhibitId: string; hidden: string[]; kept: string[] }[];
}

type Box = readonly [left: number, top: number, width: number, height: number];
type Row = (typeof rows)[number];

/** Each row has a word on the left, that may be redacted, and one on the right, that stays. */
const rows = ["a", "b", "c", "d", "e", "f"] as const;
/** The rows of which each exhibit hides the word on the left; a document's exhibits need not agree. */
const hiddenRows: readonly (readonly Row[])[] = [
  ["a", "b", "c"],
  ["c", "d"],
];
const [left, right, firstRow, rowHeight] = [200, 380, 90, 34];

const hush = (serial: number, row: Row) => `hush${serial}${row}`;
const keep = (serial: number, row: Row) => `keep${serial}${row}`;
const top = (row: Row) => firstRow + rows.indexOf(row) * rowHeight;

/** The page of words. Every third is shown turned. */
export function reviewSheet(serial: number): Sheet {
  const words = rows.flatMap((row) => [
    { text: `Row ${row}`, x: 56, y: top(row) },
    { text: hush(serial, row), x: left, y: top(row) },
    { text: keep(serial, row), x: right, y: top(row) },
  ]);
  return { words, turned: serial % 3 === 0 };
}

export function reviewedDocument({ documentId, exhibitIds }: AddedDocument, serial: number): ReviewedDocument {
  const exhibits = exhibitIds.map((exhibitId, index) => {
    const hides = (row: Row) => hiddenRows[index]?.includes(row) === true;
    const hidden = rows.filter(hides).map((row) => hush(serial, row));
    const shown = rows.filter((row) => !hides(row)).map((row) => hush(serial, row));
    return { exhibitId: String(exhibitId), hidden, kept: [...shown, ...rows.map((row) => keep(serial, row))] };
  });
  return { documentId: String(documentId), exhibits };
}

/**
 * The annotations of one exhibit: redactions that overlap each other and a highlight, highlights that overlap, a note,
 * stickers, stamps, a thread, and what does not travel: a text that is no stamp, a note and a thread that quote what is hidden.
 */
export function reviewLayer(of: {
  serial: number;
  sheet: Sheet;
  exhibit: number;
  pageIndex: number;
  now: Date;
}): ReviewLayer {
  const { serial, sheet, exhibit, pageIndex, now } = of;
  const at = (minutes: number) => new Date(now.getTime() - 3_600_000 + minutes * 60_000).toISOString();
  const place = (box: Box) => (sheet.turned ? turned(box) : box);
  const id = (name: string) => `${name}-${serial}-${exhibit}`;
  const annotation = (name: string, type: string, bbox: Box, more: object = {}) => ({
    ...{ v: 2, id: id(name), type, pageIndex, bbox, opacity: 1 },
    ...{ creatorName: "Rita Reviewer", createdAt: at(0), updatedAt: at(1), ...more },
  });
  const marked = (name: string, type: string, box: Box, more: object = {}) =>
    annotation(name, type, place(box), { rects: [place(box)], ...more });
  const highlight = (name: string, box: Box, color: string, more: object = {}) =>
    marked(name, "pspdfkit/markup/highlight", box, { color, blendMode: "multiply", ...more });
  const note = (name: string, box: Box, text: string) =>
    annotation(name, "pspdfkit/note", place(box), { text: plain(text), icon: "comment", color: "#FCED8C" });
  const text = (name: string, box: Box, value: string, more: object = {}) =>
    annotation(name, "pspdfkit/text", box, {
      ...{ text: plain(value), fontSize: 10, font: "Helvetica", fontColor: "#000000" },
      ...{ horizontalAlign: "left", verticalAlign: "top", ...more },
    });
  const sticker = (name: string, box: Box, { id: imageAttachmentId, contentType }: Image) =>
    annotation(name, "pspdfkit/image", box, { imageAttachmentId, contentType });
  const comment = (name: string, root: string, value: string, author: string, minutes: number) => ({
    ...{ type: "pspdfkit/comment", v: 2, id: id(name), rootId: id(root), pageIndex, text: plain(value) },
    ...{ creatorName: author, createdAt: at(minutes), updatedAt: at(minutes + 1) },
  });

  const hidden = hiddenRows[exhibit] ?? [];
  const quoted = hush(serial, hidden[0] ?? "a");
  const redactions = hidden.flatMap((row) => {
    const [x, y, width, height] = wordBox(left, row);
    const type = "pspdfkit/markup/redaction";
    const half: Box = [x + width / 3, y, (2 * width) / 3, height];
    return [
      marked(`redaction-${row}`, type, [x, y, width, height], row === "a" ? { overlayText: "REDACTED" } : {}),
      ...(row === "b" ? [marked("redaction-b2", type, half)] : []),
    ];
  });
  // Stamps and stickers stand upright on the page as it is shown.
  const foot = (sheet.turned ? pageSize.width : pageSize.height) - 42;
  const [, cTop] = wordBox(left, "c");
  const isQuotedInNote = serial % 4 === 1;
  const isQuotedInThread = serial % 4 === 2;
  return {
    format: "https://pspdfkit.com/instant-json/v1",
    annotations: [
      ...redactions,
      highlight("highlight-c", [left - 4, cTop, 320, 20], "#FFFF00"),
      highlight("highlight-d", wordBox(right, "d"), "#FFFF00"),
      highlight("highlight-d2", [right + 20, top("d") - 2, 130, 20], "#80FF80"),
      highlight("thread", wordBox(right, "e"), "#8080FF", { isCommentThreadRoot: true }),
      note("note", [520, top("f"), 24, 24], `Ask about ${keep(serial, "f")}`),
      ...(isQuotedInNote ? [note("note-quoting", [520, top("e"), 24, 24], `${quoted} must not be shown`)] : []),
      ...(isQuotedInThread
        ? [highlight("thread-quoting", wordBox(56, "f"), "#FF8080", { isCommentThreadRoot: true })]
        : []),
      sticker("sticker-png", [56, 400, 64, 48], png),
      sticker("sticker-jpeg", [200, 400, 64, 64], jpeg),
      text("bates", [400, foot, 140, 16], `ABC${String(serial).padStart(6, "0")}`, {
        customData: { stamp: "bates_stamp" },
      }),
      text("confidential", [56, foot, 160, 16], "CONFIDENTIAL", { customData: { stamp: "confidentiality_stamp" } }),
      text("free-text", [56, foot - 30, 160, 16], "a text that is no stamp"),
    ],
    attachments: Object.fromEntries(
      [png, jpeg].map(({ id, binary, contentType }) => [id, { binary: binary.toString("base64"), contentType }]),
    ),
    comments: [
      comment("comment-1", "thread", "Is this the one?", "Rita Reviewer", 10),
      comment("comment-2", "thread", "Так точно 👍", "Олег Рецензент", 20),
      comment("comment-3", "thread", "Then it stays.", "Rita Reviewer", 15),
      ...(isQuotedInThread ? [comment("comment-4", "thread-quoting", `Who is ${quoted}?`, "Lee", 30)] : []),
    ],
  };
}

interface Image {
  id: string;
  binary: Buffer;
  contentType: string;
}

const image = (binary: Buffer, contentType: string): Image => ({
  id: createHash("sha256").update(binary).digest("hex"),
  ...{ binary, contentType },
});
const png = image(makePng(64, 48, [40, 90, 200]), "image/png");
const jpeg = image(readFileSync(new URL("content/sticker.jpg", import.meta.url)), "image/jpeg");

function plain(value: string) {
  return { format: "plain", value };
}

function wordBox(x: number, row: Row): Box {
  return [x - 4, top(row) - 2, 130, 20];
}

/** The same box where the page is shown turned by a quarter, clockwise. */
function turned([x, y, width, height]: Box): Box {
  return [pageSize.height - y - height, x, height, width];
}
