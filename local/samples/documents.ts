import { engineDocumentId } from "../../contracts/annotations.ts";
import { makeMail } from "./content/mail.ts";
import { makeCsv, makeDocx, makePng, makeXlsx, makeZip } from "./content/natives.ts";
import { makePdf, type Sheet } from "./content/pdf.ts";
import { paragraph, printable, scripts, sentence } from "./content/words.ts";
import { reviewLayer, reviewSheet } from "./annotations.ts";
import { daysAgo, type Making } from "./making.ts";
import { people } from "./names.ts";

const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/** A document that was added, and the exhibits that reviewers work on. */
export interface AddedDocument {
  documentId: number;
  exhibitIds: number[];
  pages: number;
}

interface Placing {
  parentId?: number;
  exhibits: number;
  /** Reviewers have drawn on the last page of it. */
  annotated?: boolean;
}
const alone: Placing = { exhibits: 1 };

/** A PDF with its page texts. Its native is the PDF itself, or the text document that it was made of. */
export async function addPdf(making: Making, name: string, placing: Placing = alone): Promise<AddedDocument> {
  const { builder, random } = making;
  const serial = builder.of("documents").length;
  const unicode = serial % 8 === 3;
  const texts = Array.from({ length: 1 + (serial % 3) }, () =>
    paragraph(random, unicode ? random.pick(printable) : "latin"),
  );
  const sheet = placing.annotated ? reviewSheet(serial) : undefined;
  const fromWord = serial % 4 === 1;
  const native = fromWord ? await makeDocx(texts) : undefined;
  const pdf = await makePdf({
    title: `Document ${serial}`,
    author: random.pick(people).name.replace(/[^\x20-\x7e]/g, "?"),
    pages: texts,
    created: making.now,
    unicode,
    ...(sheet && { sheet }),
  });
  if (sheet) texts.push(sheet.words.map(({ text }) => text).join(" "));
  const document = addDocument(making, name, fromWord ? docx : "application/pdf", native ?? pdf, texts.length, placing);
  const createdAt = daysAgo(making, 90);
  const file = { documentId: document.documentId, createdAt };
  const key = builder.addFile({ ...file, role: "document", name, body: pdf, contentType: "application/pdf" });
  showExhibits(making, document, key, sheet && { serial, sheet });
  if (native) builder.addFile({ ...file, role: "native", name: `${name}.docx`, body: native, contentType: docx });
  else builder.addFile({ ...file, role: "native", name, body: pdf, contentType: "application/pdf", hashed: false });
  addPages(making, document, texts);
  return document;
}

/** An e-mail with its attachments as documents of their own. The first added is the e-mail. */
export async function addFamily(making: Making, subject: string, attachments: number): Promise<AddedDocument[]> {
  const { builder, random, now } = making;
  const files = await Promise.all(Array.from({ length: attachments }, (_, index) => makeNative(making, index)));
  const text = [sentence(random, "latin"), sentence(random, random.pick(scripts))].join("\n");
  const person = () => {
    const { name, email } = random.pick(people);
    return { name, address: email ?? "unknown@example.com" };
  };
  const mail = makeMail({ from: person(), to: [person(), person()], subject, date: now, text, attachments: files });
  const texts = [paragraph(random, "latin")];
  const rendition = await makePdf({ title: "E-mail", author: "", pages: texts, created: now, unicode: false });
  const parent = addDocument(making, `${subject}.eml`, "message/rfc822", mail, 1, alone);
  const file = { documentId: parent.documentId, createdAt: daysAgo(making, 80) };
  const mime = { document: "application/pdf", native: "message/rfc822" };
  const key = builder.addFile({
    ...file,
    role: "document",
    name: "message.pdf",
    body: rendition,
    contentType: mime.document,
  });
  showExhibits(making, parent, key);
  builder.addFile({ ...file, role: "native", name: `${subject}.eml`, body: mail, contentType: mime.native });
  addPages(making, parent, texts);
  const placing = { exhibits: 1, parentId: parent.documentId };
  const children = files.map((native) => addNativeFile(making, native, placing));
  if (attachments > 1) children.push(await addPdf(making, `attachment to ${subject}.pdf`, placing));
  return [parent, ...children];
}

interface NativeFile {
  fileName: string;
  mimeType: string;
  content: Buffer;
}

/** A file that has no rendition; `index` picks the kind. */
export async function addNative(making: Making, index: number): Promise<AddedDocument> {
  return addNativeFile(making, await makeNative(making, index), alone);
}

function addNativeFile(making: Making, { fileName, mimeType, content }: NativeFile, placing: Placing): AddedDocument {
  const document = addDocument(making, fileName, mimeType, content, null, placing);
  making.builder.addFile({
    documentId: document.documentId,
    role: "native",
    name: fileName,
    body: content,
    contentType: mimeType,
    createdAt: daysAgo(making, 70),
  });
  return document;
}

async function makeNative({ random }: Making, index: number): Promise<NativeFile> {
  const line = () => scripts.map((script) => sentence(random, script, 2));
  switch (index % 8) {
    case 0:
      return { fileName: "Zahlen & Größen.xlsx", mimeType: xlsx, content: await makeXlsx([line(), line(), line()]) };
    case 1:
      return { fileName: "../../x", mimeType: "application/octet-stream", content: Buffer.from([0, 1, 2, 255, 254]) };
    case 2:
      return { fileName: "список.csv", mimeType: "text/csv", content: makeCsv([line(), line(), ['a"b', "c,d"]]) };
    case 3:
      return {
        fileName: "photo 📷.png",
        mimeType: "image/png",
        content: makePng(64, 48, [random.int(0, 255), 80, 200]),
      };
    case 4:
      return { fileName: "empty.txt", mimeType: "text/plain", content: Buffer.alloc(0) };
    case 5: {
      const content = await makeZip({ "读我.txt": line().join("\n"), "data/raw.bin": Buffer.alloc(2048, 7) });
      return { fileName: "archive+backup.tar.gz.zip", mimeType: "application/zip", content };
    }
    case 6:
      return { fileName: "notes.txt", mimeType: "text/plain", content: Buffer.from(line().join("\r\n")) };
    default:
      return { fileName: "מכתב.docx", mimeType: docx, content: await makeDocx(line()) };
  }
}

function addDocument(
  making: Making,
  name: string,
  mimeType: string,
  native: Buffer,
  pages: number | null,
  { parentId, exhibits }: Placing,
): AddedDocument {
  const { builder, random } = making;
  const isMail = mimeType === "message/rfc822";
  const createdAt = daysAgo(making, 100);
  const documentId = builder.add("documents", {
    parent_id: parentId ?? null,
    file_name: name,
    mime_type: mimeType,
    title: random.pick([null, "", sentence(random, random.pick(scripts))]),
    author: random.pick(people).name,
    size: native.length,
    page_count: pages,
    batch_id: batchOf(builder.of("documents").length),
    is_email: isMail ? 1 : 0,
    status: random.int(0, 3),
    bates_first: null,
    bates_last: null,
    document_date: createdAt.slice(0, 10),
    sent_at: isMail ? daysAgo(making, 120) : null,
    received_at: isMail ? daysAgo(making, 119) : null,
    created_at: createdAt,
    updated_at: daysAgo(making, 60),
  });
  const exhibitIds = Array.from({ length: exhibits }, () =>
    builder.add("exhibits", {
      document_id: documentId,
      title: random.pick([null, name, sentence(random, "latin", 3)]),
      number: random.pick([null, random.int(1, 99_999)]),
      document_properties: JSON.stringify({ pages, producer: "scanner ✓", "odd key": [null, 1.5, "ß"] }),
      confidentiality_status: 0,
      relevancy: random.pick([null, "relevant", "not_relevant", "privileged", "unsure"]),
      created_at: daysAgo(making, 99),
      updated_at: daysAgo(making, 59),
    }),
  );
  return { documentId, exhibitIds, pages: pages ?? 0 };
}

/** The text of each page as a file, and the pages of each exhibit that point to it. */
function addPages(making: Making, { documentId, exhibitIds }: AddedDocument, texts: readonly string[]): void {
  const { builder, random } = making;
  for (const [index, text] of texts.entries()) {
    const key = builder.addFile({
      documentId,
      role: "text",
      name: `page-${index + 1}.txt`,
      body: Buffer.from(`${text}\n${sentence(random, random.pick(scripts))}\n`),
      contentType: "text/plain; charset=utf-8",
      createdAt: daysAgo(making, 85),
    });
    for (const exhibit_id of exhibitIds) {
      builder.add("attachments", { exhibit_id, position: index + 1, text_key: key, width: "595.2756", height: null });
      builder.link("exhibit_texts", { exhibit_id, position: index + 1, content: text });
    }
  }
}

/** Documents came into the case by turns in two batches. */
function batchOf(index: number): string {
  return `import-${(index % 2) + 1}`;
}

/** Puts each exhibit of a document into Document Engine, with what reviewers have drawn on it. */
function showExhibits(
  { builder, now }: Making,
  { documentId, exhibitIds, pages }: AddedDocument,
  key: string,
  review?: { serial: number; sheet: Sheet },
): void {
  const { caseId } = builder;
  const batchId = batchOf(builder.of("documents").length - 1);
  for (const [index, exhibitId] of exhibitIds.entries()) {
    const id = engineDocumentId({ caseId, batchId, documentId: String(documentId), exhibitId: String(exhibitId) });
    const annotations = review && reviewLayer({ ...review, exhibit: index, pageIndex: pages - 1, now });
    builder.engineDocuments.push({ id, key, annotations });
  }
}
