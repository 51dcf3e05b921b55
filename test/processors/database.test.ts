import { expect } from "chai";
import type { RowDataPacket } from "mysql2/promise";
import { UpdateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { createDatabase } from "../../processors/shared/database.ts";
import { databaseSecretReader } from "../../processors/shared/secret.ts";
import { openLedger } from "./ledger_tables.ts";
import type { LedgerDatabase } from "./ledger_tables.ts";
import { startCloudFirst } from "./support.ts";

describe("the database of the ledger processors", () => {
  startCloudFirst();
  let ledger: LedgerDatabase;

  beforeEach(async () => {
    ledger = await openLedger();
  });
  afterEach(async () => {
    await ledger.admin.query("SET GLOBAL innodb_lock_wait_timeout = DEFAULT");
    await ledger.end();
  });

  const statement = `INSERT INTO exchange_statuses (exchange_id, status, event_id, occurred_at)
    VALUES (?, 'EXCHANGER_INITIATED', 'e', NOW(3)) ON DUPLICATE KEY UPDATE event_id = VALUES(event_id)`;
  const count = async () => (await ledger.rows("exchange_statuses")).length;

  it("reads the secret once, however many statements start at the same time", async () => {
    // Act
    await Promise.all(["a", "b", "c"].map((id) => ledger.database.run(statement, [id])));

    // Assess
    expect([ledger.reads(), await count()]).to.deep.equal([1, 3]);
  });

  it("runs a statement once more when the server has dropped its connections", async () => {
    // Prepare
    await ledger.database.run(statement, ["a"]);
    const [connections] = await ledger.admin.query<RowDataPacket[]>(
      "SELECT id FROM information_schema.processlist WHERE user = ?",
      [ledger.user],
    );
    for (const { id } of connections as { id: number }[]) await ledger.admin.query(`KILL CONNECTION ${id}`);

    // Act
    await ledger.database.run(statement, ["b"]);

    // Assess
    expect(connections).to.have.length(1);
    expect([await count(), ledger.reads()]).to.deep.equal([2, 1]);
  });

  it("runs a statement once more whose connection is lost while it runs", async () => {
    // Prepare
    const slow = "INSERT INTO exchange_statuses SELECT 'a', 'x', SLEEP(0.5), NULL, NOW(3)";
    const running = ledger.database.run(slow, []);
    let victim: number | undefined;
    while (victim === undefined) {
      const [found] = await ledger.admin.query<RowDataPacket[]>(
        "SELECT id FROM information_schema.processlist WHERE user = ? AND info LIKE '%SLEEP(0.5)%'",
        [ledger.user],
      );
      victim = found[0]?.["id"] as number | undefined;
    }

    // Act
    await ledger.admin.query(`KILL CONNECTION ${victim}`);
    await running;

    // Assess
    expect(await count()).to.equal(1);
  });

  it("reads the secret anew when the password was rotated", async () => {
    // Prepare
    await ledger.database.run(statement, ["a"]);
    await ledger.rotate();
    await ledger.admin.query("KILL USER ?", [ledger.user]);

    // Act
    await ledger.database.run(statement, ["b"]);

    // Assess
    expect(await count()).to.equal(2);
  });

  it("says that the login is refused when the secret is wrong, and recovers when it is right", async () => {
    // Prepare
    await ledger.admin.query("ALTER USER ?@'%' IDENTIFIED BY 'other'", [ledger.user]);

    // Act
    const error: unknown = await ledger.database.run(statement, ["a"]).catch((thrown: unknown) => thrown);
    await ledger.rotate();
    await ledger.database.run(statement, ["b"]);

    // Assess
    expect(error).to.include({ kind: "recoverable", code: "DATABASE_LOGIN_REFUSED" });
    expect(await count()).to.equal(1);
  });

  it("says that the server cannot be reached", async () => {
    // Prepare
    const secret = { host: "127.0.0.1", port: 9, username: "u", password: "p" };
    const database = createDatabase({ read: () => Promise.resolve(secret), forget: () => undefined });

    // Act
    const error: unknown = await database.run(statement, ["a"]).catch((thrown: unknown) => thrown);

    // Assess
    expect(error).to.include({ kind: "recoverable", code: "DATABASE_UNREACHABLE" });
  });

  it("waits for a lock and runs a statement again that lost a deadlock", async () => {
    // Prepare
    await ledger.database.run(statement, ["a"]);
    await ledger.admin.query("SET GLOBAL innodb_lock_wait_timeout = 1");
    await ledger.admin.beginTransaction();
    await ledger.admin.query("SELECT * FROM exchange_statuses WHERE exchange_id = 'a' FOR UPDATE");

    // Act
    const writing = ledger.database.run(statement, ["a"]);
    await ledger.admin.query("DO SLEEP(1.5)");
    await ledger.admin.commit();
    await writing;

    // Assess
    expect(await count()).to.equal(1);
  });

  it("tells neither content nor password of a secret that is malformed", async () => {
    // Prepare
    const SecretString = '{"host":"h","port":1,"username":"u","passwort":"hush"}';
    await ledger.secrets.send(new UpdateSecretCommand({ SecretId: ledger.secretArn, SecretString }));
    const database = createDatabase(databaseSecretReader(ledger.secrets, ledger.secretArn));

    // Act
    const error: unknown = await database.run(statement, ["a"]).catch((thrown: unknown) => thrown);

    // Assess
    expect(error).to.include({ kind: "permanent", code: "INVALID_SECRET" });
    expect(JSON.stringify([error, String(error), (error as Error).stack])).not.to.contain("hush");
  });
});
