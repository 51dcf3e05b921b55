/** People of the source case. Some are known to the destination under the same name, written differently. */
export const people = [
  { name: "José García", email: "jose.garcia@example.com" },
  { name: "Ada Lovelace", email: "ada@example.com" },
  { name: "Ελένη Παπαδοπούλου", email: "eleni@example.com" },
  { name: "Дмитрий Соколов", email: "d.sokolov@example.com" },
  { name: "محمد الفارسي", email: "m.alfarsi@example.com" },
  { name: "דוד לוי", email: "david.levi@example.com" },
  { name: "王小明", email: "wang@example.com" },
  { name: "佐藤 花子", email: "sato@example.com" },
  { name: "김민준", email: null },
  { name: "Zoë 🦊 O'Neill", email: "zoe@example.com" },
] as const;

/** Holds only documents that are not selected: this name must never arrive. */
export const outsider = { name: "Mallory Outside", email: "mallory@example.com" } as const;

/** File names that have broken copying before, each with what makes it odd. */
export const oddNames = [
  "../../x",
  "name with  spaces .pdf",
  "100% #1 + more?.pdf",
  "%41%2F%00.pdf",
  "🎉 party 📎.pdf",
  `${"n".repeat(896)}.pdf`,
  "договор № 5.pdf",
  "契約書 最終版.pdf",
  "عقد نهائي.pdf",
  "חוזה סופי.pdf",
  "σύμβαση.pdf",
  "back\\slash.pdf",
  `"quotes" and 'more'.pdf`,
  "semi;colon,comma=&equals.pdf",
  "<tag>&amp;.pdf",
  ".hidden",
  "line\nbreak.pdf",
  "Ärger über Größe (e\u0301).pdf",
] as const;
