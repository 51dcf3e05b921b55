/** What the engine's suites share: a registry, a case and tokens, all real. */
import { randomBytes, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from "jose";
import mysql from "mysql2/promise";
import { pino } from "pino";
import type { CopyProgress } from "../../contracts/manifest.ts";
import type { DatabaseSecret } from "../../contracts/secrets.ts";
import { metadataKinds, type ExchangeRequest } from "../../contracts/request.ts";
import { engineMetrics } from "../../engine/metrics/metrics.ts";
import { CaseReader } from "../../engine/cases/reader.ts";
import { createApp } from "../../engine/http/app.ts";
import { openRegistry, type Registry } from "../../engine/registry/database.ts";
import { accept, type Acceptance } from "../../engine/registry/exchanges.ts";
import { migrate } from "../../engine/registry/migrations/index.ts";
import { sharedCloud } from "../support/cloud.ts";

/** How many exchanges may wait in the API of {@link testApi}. */
export const maxTestWaiting = 20;

export const silent = pino({ level: "silent" });
const suffix = () => randomBytes(4).toString("hex");

export interface TestRegistry {
  readonly db: Registry;
  drop(): Promise<void>;
}

/** A registry of its own on the shared database server, migrated and empty. */
export async function testRegistry(): Promise<TestRegistry> {
  const { database } = await sharedCloud();
  const schema = `registry_${suffix()}`;
  const admin = await database.admin();
  await admin.query(`CREATE DATABASE ${schema}`);
  const login = await database.createUser(schema, [`ALL ON \`${schema}\`.*`]);
  const db = openRegistry({ host: database.host, port: database.port, ...login, dbname: schema });
  await migrate(db);
  return {
    db,
    async drop() {
      await db.destroy();
      await admin.query(`DROP DATABASE ${schema}`);
      await admin.end();
    },
  };
}

export const request = (more: Partial<ExchangeRequest> = {}): ExchangeRequest => ({
  sourceCaseId: 1,
  destinationCaseId: 2,
  batchId: "b1",
  selection: { by: "all" },
  includeNatives: false,
  excludePrivileged: false,
  metadata: [...metadataKinds],
  ...more,
});

/** Writes an exchange that nobody else has asked for; returns its id. */
export async function acceptedExchange(db: Registry, more: Partial<Acceptance> = {}): Promise<string> {
  const id = randomUUID();
  const key = randomBytes(32).toString("hex");
  await accept(
    db,
    { id, subject: "s", dedupeKey: key, natural: false, requestHash: key, request: request(), selected: 3, ...more },
    60,
  );
  return id;
}

export interface TestCases {
  readonly reader: CaseReader;
  readonly secret: DatabaseSecret;
  /** Ids of documents, labels and folders of case 1. */
  readonly ids: { documents: string[]; label: string; emptyLabel: string; folder: string };
  /** Runs statements in case 1, whose schema stands in them as `@`. */
  change(...statements: string[]): Promise<void>;
  /** Drops the reader's connections as a server does that restarts. */
  killConnections(): Promise<void>;
  drop(): Promise<void>;
}

/**
 * Case 1 with three documents, one of them in a folder below `folder` and under `label`; case 2 without any. Their
 * reader may only SELECT.
 */
export async function testCases(): Promise<TestCases> {
  const { database } = await sharedCloud();
  const prefix = `kit${suffix()}`;
  const admin = await mysqlAdmin();
  const ddl = await readFile(new URL("../../glue/schema/case.sql", import.meta.url), "utf8");
  for (const caseId of [1, 2]) {
    await admin.query(`CREATE DATABASE ${prefix}_${caseId}`);
    await admin.changeUser({ database: `${prefix}_${caseId}` });
    await admin.query(ddl);
  }
  await admin.changeUser({ database: `${prefix}_1` });
  await admin.query(`
    INSERT INTO documents (id, file_name) VALUES (11, 'a'), (12, 'b'), (13, 'c');
    INSERT INTO exhibits (id, document_id) VALUES (21, 11), (22, 11), (23, 12);
    INSERT INTO labels (id, name) VALUES (31, 'Hot'), (32, 'Cold');
    INSERT INTO exhibit_labels (exhibit_id, label_id) VALUES (21, 31), (22, 31);
    INSERT INTO folder_tags (id, parent_id, name) VALUES (41, NULL, 'top'), (42, 41, 'middle'), (43, 42, 'low');
    INSERT INTO folder_taggings (folder_tag_id, exhibit_id) VALUES (43, 21), (43, 22), (41, 23);`);
  const login = await database.createUser(prefix, [`SELECT ON \`${prefix}\\_%\`.*`]);
  const secret = { host: database.host, port: database.port, ...login };
  const reader = new CaseReader(secret, prefix);
  return {
    reader,
    secret,
    ids: { documents: ["11", "12", "13"], label: "31", emptyLabel: "32", folder: "41" },
    async change(...statements) {
      for (const statement of statements) await admin.query(statement.replaceAll("@", `${prefix}_1`));
    },
    async killConnections() {
      const [rows] = await admin.query<mysql.RowDataPacket[]>(
        "SELECT id FROM information_schema.processlist WHERE user = ?",
        [prefix],
      );
      for (const row of rows) await admin.query(`KILL ${String(row["id"])}`);
    },
    async drop() {
      await reader.close();
      for (const caseId of [1, 2]) await admin.query(`DROP DATABASE ${prefix}_${caseId}`);
      await admin.end();
    },
  };
}

/** A connection as root that takes several statements at once. */
async function mysqlAdmin(): Promise<mysql.Connection> {
  const { database } = await sharedCloud();
  const { username, password } = await database.createUser(`root_${suffix()}`, ["ALL ON *.*"]);
  return mysql.createConnection({
    host: database.host,
    port: database.port,
    user: username,
    password,
    multipleStatements: true,
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface TestApi {
  readonly accepted: string[];
  /** One entry for each time that the worker was told to look. */
  readonly due: number[];
  /** How far the record copy of an exchange is. */
  readonly copying: Map<string, CopyProgress>;
  token(claims?: Record<string, unknown>, expires?: string): Promise<string>;
  call(method: string, path: string, options?: { token?: string; body?: unknown; headers?: object }): Promise<Answer>;
  stop(): Promise<void>;
}

/** The real application on a free port, with an issuer that signs what a test asks for. */
export async function testApi(db: Registry, cases: CaseReader, hasDocumentEngine = true): Promise<TestApi> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const [issuer, audience] = ["https://issuer.test", "exchanger"];
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), alg: "ES256" }] });
  const accepted: string[] = [];
  const due: number[] = [];
  const copying = new Map<string, CopyProgress>();
  const app = createApp({
    routes: {
      db,
      cases,
      copyProgress: (id) => Promise.resolve(copying.get(id) ?? null),
      hasDocumentEngine,
      admissionSeconds: 60,
      maxWaiting: maxTestWaiting,
      accepted: (record) => accepted.push(record.id),
      due: () => due.push(1),
    },
    auth: { keys, issuer, audience },
    ready: () => Promise.resolve(),
    metrics: engineMetrics({
      db,
      load: () => ({ waiting: 2, executing: 1 }),
      breaker: () => "open",
      maxLive: 7,
      maxWaiting: maxTestWaiting,
    }),
    log: silent,
  });
  const server = await new Promise<Server>((resolve) => {
    const started = app.listen(0, "127.0.0.1", () => {
      resolve(started);
    });
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    accepted,
    due,
    copying,
    token: (claims = {}, expires = "5 minutes") =>
      new SignJWT({
        scope: "exchange:read exchange:write",
        cases: "*",
        sub: "somebody",
        iss: issuer,
        aud: audience,
        ...claims,
      })
        .setProtectedHeader({ alg: "ES256" })
        .setExpirationTime(expires)
        .sign(privateKey),
    async call(method, path, { token, body, headers } = {}) {
      const answer = await fetch(url + path, {
        method,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, body: bodyOf(text, answer.headers) };
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function bodyOf(text: string, headers: Headers): unknown {
  if (text === "") return undefined;
  return headers.get("content-type")?.startsWith("text/plain") === true ? text : JSON.parse(text);
}
