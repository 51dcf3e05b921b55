import { readFile } from "node:fs/promises";
import { createPool } from "mysql2/promise";
import type { Outsider } from "../check/check.ts";
import { auditorClients } from "../check/resources.ts";
import type { Platform } from "./platform.ts";

/** Somebody who may read both cases and the whole account, and change nothing. */
export async function openOutsider({
  cloud,
  cases,
  outputs,
}: Platform): Promise<Outsider & { close: () => Promise<void> }> {
  const login = await cloud.database.createUser("auditor", ["SELECT ON *.*"]);
  // A pool survives a server that dies and comes back.
  const connection = createPool({
    connectionLimit: 4,
    host: cloud.database.host,
    port: cloud.database.port,
    user: login.username,
    password: login.password,
  });
  const token = await readFile(cloud.documentEngine.tokenFile, "utf8");
  const clients = auditorClients(cloud.client("auditor"));
  return {
    connection,
    clients,
    caseBucket: cloud.caseBucket,
    caseSchemaPrefix: outputs.caseSchemaPrefix,
    stateBucket: cloud.stateBucket,
    sourceCaseId: cases.sourceCaseId,
    destinationCaseId: cases.destinationCaseId,
    documentEngine: { url: cloud.documentEngine.url, token },
    close: async () => {
      clients.destroy();
      await connection.end();
    },
  };
}
