import type { Database } from "../shared/database.ts";

/** The text of one page of an exhibit of the destination case. */
export interface TextRow {
  exhibitId: string;
  /** Counts from 1. */
  position: number;
  content: string;
}

/** One statement stays well below what servers take at once (16 MiB by default). */
const statementBytes = 4 * 1024 ** 2;

/** Puts texts into the full-text index of a case; the same rows again leave the same index. */
export async function writeRows(
  database: Database,
  caseSchema: string,
  rows: readonly TextRow[],
  bulkRows: number,
): Promise<void> {
  for (const chunk of chunksOf(rows, bulkRows)) {
    await database.run(
      "INSERT INTO ??.exhibit_texts (exhibit_id, position, content) VALUES ? ON DUPLICATE KEY UPDATE content = VALUES(content)",
      [caseSchema, chunk.map(({ exhibitId, position, content }) => [exhibitId, position, content])],
    );
  }
}

/** In an order that all writers share, so that they do not lock each other out. */
export function chunksOf(rows: readonly TextRow[], bulkRows: number): TextRow[][] {
  const inOrder = rows.toSorted(
    (one, other) => Number(BigInt(one.exhibitId) - BigInt(other.exhibitId)) || one.position - other.position,
  );
  const chunks: TextRow[][] = [];
  let bytes = Infinity;
  for (const row of inOrder) {
    const size = Buffer.byteLength(row.content);
    const current = chunks.at(-1);
    if (current && current.length < bulkRows && bytes + size <= statementBytes) {
      current.push(row);
      bytes += size;
    } else {
      chunks.push([row]);
      bytes = size;
    }
  }
  return chunks;
}
