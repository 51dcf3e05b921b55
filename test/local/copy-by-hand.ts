/**
 * An exchange done by hand, in plain SQL and object copies, for judging those who judge exchanges. Ids are shifted,
 * shared rows are found by name.
 */
import { CopyObjectCommand, NoSuchKey, type S3Client } from "@aws-sdk/client-s3";
import type { Connection, RowDataPacket } from "mysql2/promise";

export interface HandCopy {
  connection: Connection;
  s3: S3Client;
  caseBucket: string;
  /** Names of the schemas. */
  source: string;
  target: string;
  destinationCaseId: number;
  exchangeId: string;
  documentIds: readonly string[];
}

/** Added to the id of every row that is copied. */
export const shift = 500_000;

type Expressions = Record<string, string>;
const hangingOnExhibits = ["attachments", "bates_stamps", "comments", "relevancy_logs", "confidentiality_logs"];
const links = ["custodian_exhibits", "exhibit_labels", "folder_taggings"];
/** Tables whose ids the exchange tells one by one; of the others it says how they are shifted. */
const spelledOut = new Set(["documents", "comments"]);

export async function copyByHand(copy: HandCopy): Promise<void> {
  const { connection, source, target } = copy;
  const run = async (sql: string) => (await connection.query<RowDataPacket[]>(sql))[0];
  const columnsOf = async (table: string) =>
    (
      await run(`SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS
                 WHERE TABLE_SCHEMA = '${source}' AND TABLE_NAME = '${table}' ORDER BY ORDINAL_POSITION`)
    ).map(({ name }) => String(name));

  /** Copies rows; each column as it is, or as the expression says. */
  async function insert(table: string, where: string, expressions: Expressions, without: string[] = []) {
    const columns = (await columnsOf(table)).filter((column) => !without.includes(column));
    const values = columns.map((column) => expressions[column] ?? `s.${column}`);
    await run(`INSERT INTO ${target}.${table} (${columns.join(",")})
               SELECT ${values.join(",")} FROM ${source}.${table} s WHERE ${where} ORDER BY ${columns[0]}`);
  }
  const shifted = (column: string) => ({ [column]: `s.${column} + ${shift}` });
  const byName = (table: string, column: string, name = "name") => ({
    [column]: `(SELECT t.id FROM ${target}.${table} t JOIN ${source}.${table} x ON x.${name} = t.${name} WHERE x.id = s.${column})`,
  });

  const documents = `(${copy.documentIds.join(",")})`;
  const exhibits = `(SELECT id FROM ${source}.exhibits WHERE document_id IN ${documents})`;
  const used = (table: string, column: string) =>
    `SELECT ${column} FROM ${source}.${table} WHERE exhibit_id IN ${exhibits} AND ${column} IS NOT NULL`;
  const missing = (table: string, names: readonly string[]) =>
    `NOT EXISTS (SELECT 1 FROM ${target}.${table} t WHERE ${names.map((name) => `t.${name} = s.${name}`).join(" AND ")})`;
  async function share(table: string, ids: string, names = ["name"]) {
    await insert(table, `s.id IN (${ids}) AND ${missing(table, names)}`, {}, ["id"]);
  }

  const userIds = ["comments", "relevancy_logs", "confidentiality_logs"].map((table) => used(table, "user_id"));
  await share("users", userIds.join(" UNION "), ["email"]);
  await share("custodians", used("custodian_exhibits", "custodian_id"));
  await share("labels", used("exhibit_labels", "label_id"));
  const categories = `SELECT label_category_id FROM ${source}.label_category_labels
                      WHERE label_id IN (${used("exhibit_labels", "label_id")})`;
  await share("label_categories", categories);
  await share("custom_fields", used("custom_field_values", "custom_field_id"), ["name", "field_type"]);
  const folders = await shareFolders(run, source, target, used("folder_taggings", "folder_tag_id"));
  const bits = await shareCodes(run, source, target, used("confidentiality_logs", "confidentiality_code_id"));

  const parent = `IF(s.parent_id IN ${documents}, s.parent_id + ${shift}, NULL)`;
  await insert("documents", `s.id IN ${documents}`, { ...shifted("id"), parent_id: parent });
  await insert("document_variants", `s.document_id IN ${documents}`, {
    ...shifted("id"),
    ...shifted("document_id"),
    s3_key: `CONCAT('case_${copy.destinationCaseId}/processed-files/b1/', s.role, '/', s.id + ${shift})`,
  });
  await insert("exhibits", `s.document_id IN ${documents}`, {
    ...shifted("id"),
    ...shifted("document_id"),
    number: "s.id",
    document_properties: "NULL",
    confidentiality_status: [...bits]
      .map(([from, to]) => `(((s.confidentiality_status >> ${from}) & 1) << ${to})`)
      .join(" | "),
  });
  const exhibit = shifted("exhibit_id");
  const textKey = `(SELECT t.s3_key FROM ${source}.document_variants v JOIN ${target}.document_variants t
                    ON t.id = v.id + ${shift} WHERE v.s3_key = s.text_key LIMIT 1)`;
  const ownExpressions: Record<string, Expressions> = {
    attachments: { text_key: textKey },
    comments: { ...byName("users", "user_id", "email"), ...shifted("parent_id") },
    relevancy_logs: byName("users", "user_id", "email"),
    confidentiality_logs: {
      ...byName("users", "user_id", "email"),
      ...byName("confidentiality_codes", "confidentiality_code_id"),
    },
    custodian_exhibits: byName("custodians", "custodian_id"),
    exhibit_labels: byName("labels", "label_id"),
    folder_taggings: { folder_tag_id: `CASE s.folder_tag_id ${folders} END` },
  };
  for (const table of [...hangingOnExhibits, ...links]) {
    const id = links.includes(table) ? {} : shifted("id");
    await insert(table, `s.exhibit_id IN ${exhibits}`, { ...id, ...exhibit, ...ownExpressions[table] });
  }
  const field = `(SELECT t.id FROM ${target}.custom_fields t JOIN ${source}.custom_fields x
                  ON x.name = t.name AND x.field_type = t.field_type WHERE x.id = s.custom_field_id)`;
  await insert("custom_field_values", `s.exhibit_id IN ${exhibits}`, {
    ...shifted("id"),
    ...exhibit,
    custom_field_id: field,
  });
  const category = { ...byName("labels", "label_id"), ...byName("label_categories", "label_category_id") };
  await run(`INSERT IGNORE INTO ${target}.label_category_labels (label_category_id, label_id)
             SELECT ${category["label_category_id"]}, ${category["label_id"]} FROM ${source}.label_category_labels s
             WHERE s.label_id IN (${used("exhibit_labels", "label_id")})`);

  await run(`CREATE TABLE ${target}.exchange_tables (table_no INT UNSIGNED, exchange_id CHAR(36),
             table_name VARCHAR(64), shifted_by BIGINT, first_source BIGINT UNSIGNED, last_source BIGINT UNSIGNED)`);
  await run(`CREATE TABLE ${target}.exchange_id_map (table_no INT UNSIGNED, source_id BIGINT UNSIGNED,
             target_id BIGINT UNSIGNED)`);
  const copied = ["documents", "document_variants", "exhibits", ...hangingOnExhibits, "custom_field_values"];
  for (const [number, table] of copied.entries()) {
    const span = spelledOut.has(table) ? "NULL, NULL, NULL" : `${shift}, 1, ${shift}`;
    await run(`INSERT INTO ${target}.exchange_tables VALUES (${number}, '${copy.exchangeId}', '${table}', ${span})`);
    if (spelledOut.has(table)) {
      await run(`INSERT INTO ${target}.exchange_id_map SELECT ${number}, id - ${shift}, id
                 FROM ${target}.${table} WHERE id > ${shift}`);
    }
  }
  await copyObjects(
    copy,
    await run(`SELECT s.s3_key AS source, t.s3_key AS target FROM ${source}.document_variants s
                                     JOIN ${target}.document_variants t ON t.id = s.id + ${shift}`),
  );
}

type Run = (sql: string) => Promise<RowDataPacket[]>;

/** Finds or makes each folder below the right parent; returns the translation as `WHEN … THEN …`. */
async function shareFolders(run: Run, source: string, target: string, usedIds: string): Promise<string> {
  const rows = await run(`WITH RECURSIVE needed AS (
      SELECT id, parent_id FROM ${source}.folder_tags WHERE id IN (${usedIds})
      UNION SELECT f.id, f.parent_id FROM ${source}.folder_tags f JOIN needed n ON f.id = n.parent_id)
    SELECT DISTINCT id, parent_id FROM needed ORDER BY id`);
  const translated = new Map<string, string>();
  for (const row of rows) {
    const parent = row["parent_id"] === null ? "NULL" : String(translated.get(String(row["parent_id"])));
    const same = `SELECT t.id FROM ${target}.folder_tags t JOIN ${source}.folder_tags s ON s.name = t.name
                  WHERE s.id = ${String(row["id"])} AND t.parent_id <=> ${parent}`;
    if (!(await run(same)).length) {
      await run(`INSERT INTO ${target}.folder_tags (parent_id, name, created_at)
                 SELECT ${parent}, name, created_at FROM ${source}.folder_tags WHERE id = ${String(row["id"])}`);
    }
    const [found] = await run(same);
    translated.set(String(row["id"]), String(found?.["id"]));
  }
  return [...translated].map(([from, to]) => `WHEN ${from} THEN ${to}`).join(" ");
}

/** Finds or makes each code that is logged; returns source bit → target bit. */
async function shareCodes(run: Run, source: string, target: string, usedIds: string): Promise<Map<string, string>> {
  for (const code of await run(`SELECT id, name FROM ${source}.confidentiality_codes WHERE id IN (${usedIds})`)) {
    await run(`INSERT INTO ${target}.confidentiality_codes (name, bit_index, created_at)
      SELECT name, (SELECT MAX(bit_index) + 1 FROM ${target}.confidentiality_codes), created_at
      FROM ${source}.confidentiality_codes s WHERE id = ${String(code["id"])}
      AND NOT EXISTS (SELECT 1 FROM ${target}.confidentiality_codes t WHERE t.name = s.name)`);
  }
  const pairs = await run(`SELECT s.bit_index AS source, t.bit_index AS target
    FROM ${source}.confidentiality_codes s JOIN ${target}.confidentiality_codes t ON t.name = s.name`);
  return new Map(pairs.map((pair) => [String(pair["source"]), String(pair["target"])]));
}

async function copyObjects({ s3, caseBucket }: HandCopy, keys: readonly RowDataPacket[]): Promise<void> {
  await Promise.all(
    keys.map(async (pair) => {
      const CopySource = `${caseBucket}/${String(pair["source"]).split("/").map(encodeURIComponent).join("/")}`;
      try {
        await s3.send(new CopyObjectCommand({ Bucket: caseBucket, Key: String(pair["target"]), CopySource }));
      } catch (error) {
        if (!(error instanceof NoSuchKey)) throw error;
      }
    }),
  );
}
