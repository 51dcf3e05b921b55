import type { S3Client } from "@aws-sdk/client-s3";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import PQueue from "p-queue";
import type { CaseRows, Reader } from "./case-rows.ts";
import { select } from "./case-rows.ts";
import type { Finding } from "./finding.ts";
import { heldOf } from "./independent-pdf.ts";
import type { Annotated } from "./scope.ts";

const readsAtOnce = 8;

/** Words that no exhibit of their document shows any more. */
function secretsOf({ choices, reviewed }: Annotated): string[] {
  if (choices.redactionsAs !== "brand_in") return [];
  return reviewed.flatMap(({ exhibits }) =>
    (exhibits[0]?.hidden ?? []).filter((word) => exhibits.every(({ hidden }) => hidden.includes(word))),
  );
}

/** Looks for what is hidden in every row of the destination case and in every object that came, natives excepted. */
export async function findLeaks(
  destination: CaseRows,
  objects: { s3: S3Client; bucket: string; keys: readonly string[] },
  annotated: Annotated,
): Promise<Finding[]> {
  const secrets = secretsOf(annotated);
  if (secrets.length === 0) return [];
  const any = new RegExp(`\\b(${secrets.join("|")})\\b`);
  const inRows = [...destination.tables].flatMap(([table, { rows }]) =>
    rows.flatMap((row) =>
      (any.exec(JSON.stringify(row)) ?? []).slice(1).map((word) => `a row of ${table} has ${word}`),
    ),
  );
  const queue = new PQueue({ concurrency: readsAtOnce });
  const inObjects = await queue.addAll(
    objects.keys.map((key) => async () => {
      const { Body } = await objects.s3.send(new GetObjectCommand({ Bucket: objects.bucket, Key: key }));
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
      const text = Buffer.from(bytes).toString("utf8");
      const held = text.startsWith("%PDF-") ? await heldOf(bytes, secrets) : [];
      return [...new Set([...held, ...(any.exec(text) ?? []).slice(1)])].map((word) => `object ${key} has ${word}`);
    }),
  );
  return [...inRows, ...inObjects.flat()].map((text) => ({ about: "leak", text: `destination ${text}` }));
}

/** The full-text index, asked as its users ask it: it finds what one document shows alone, and nothing that is hidden. */
export async function judgeSearch(
  connection: Reader,
  { schema }: CaseRows,
  exhibits: readonly { exhibitId: string; documentId: string; hidden: readonly string[]; kept: readonly string[] }[],
): Promise<Finding[]> {
  const found = async (word: string) => {
    const sql = "SELECT DISTINCT exhibit_id AS id FROM ??.exhibit_texts WHERE MATCH (content) AGAINST (?)";
    return (await select(connection, sql, [schema, word])).map(({ id }) => String(id));
  };
  const problems: Finding[] = [];
  for (const { exhibitId, documentId, hidden, kept } of exhibits) {
    const own = exhibits.filter((one) => one.documentId === documentId);
    for (const word of hidden) {
      if (!(await found(word)).includes(exhibitId)) continue;
      problems.push({ about: "leak", text: `a search for ${word} finds exhibit ${exhibitId}, where it is redacted` });
    }
    for (const word of kept.slice(-1)) {
      const [has, may] = [await found(word), own.map((one) => one.exhibitId)];
      if (has.includes(exhibitId) && has.every((id) => may.includes(id))) continue;
      problems.push({ about: "wrong index", text: `a search for ${word} finds exhibits ${has.join(", ") || "none"}` });
    }
  }
  return problems;
}
