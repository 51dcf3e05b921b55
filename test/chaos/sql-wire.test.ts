import { expect } from "chai";
import mysql from "mysql2/promise";
import { openSqlWire } from "../../local/chaos/wires/sql-wire.ts";
import type { Wire } from "../../local/chaos/wires/http-wire.ts";
import { Switchboard, type Moment } from "../../local/chaos/wires/switchboard.ts";
import { sharedCloud } from "../support/cloud.ts";

const schema = "chaos_wire";

describe("the wire before the database", function () {
  this.timeout(120_000);

  const switchboard = new Switchboard();
  let wire: Wire;
  let admin: mysql.Connection;
  let login: { username: string; password: string };

  before(async () => {
    const { database } = await sharedCloud();
    admin = await database.admin();
    await admin.query("CREATE DATABASE ??", [schema]);
    await admin.query("CREATE TABLE ??.outbox (message_id VARCHAR(200) PRIMARY KEY, body LONGTEXT)", [schema]);
    login = await database.createUser("chaos_wire", [`ALL ON \`${schema}\`.*`]);
    wire = await openSqlWire({ switchboard, target: () => database });
  });
  after(async () => {
    await wire.close();
    await admin.query("DROP DATABASE ??", [schema]);
    await admin.end();
  });
  beforeEach(async () => {
    await admin.query("DELETE FROM ??.outbox", [schema]);
    switchboard.reset();
  });

  const connect = () =>
    mysql.createConnection({
      host: "127.0.0.1",
      port: wire.port,
      user: login.username,
      password: login.password,
      database: schema,
    });
  const rows = async () => {
    const [found] = await admin.query<mysql.RowDataPacket[]>("SELECT message_id FROM ??.outbox ORDER BY 1", [schema]);
    return found.map((row) => row["message_id"] as string);
  };
  const labels = () => switchboard.calls.map(({ label, occurrence }) => `${label}#${occurrence}`);
  const insert = "INSERT INTO outbox (message_id, body) VALUES (?, ?)";

  /** Cuts the connection at the first effect at this moment; the error that the client gets. */
  async function cutAt(moment: Moment, work: (connection: mysql.Connection) => Promise<unknown>): Promise<unknown> {
    const stop = switchboard.intercept((_call, at) => (at === moment ? { do: "cut" } : undefined));
    const connection = await connect();
    connection.on("error", () => undefined);
    try {
      return await work(connection).then(
        () => undefined,
        (error: unknown) => error,
      );
    } finally {
      stop();
      connection.destroy();
    }
  }

  it("sees single statements, prepared ones, and transactions as one effect when they are committed", async () => {
    // Prepare
    const connection = await connect();

    // Act
    await connection.query(insert, ["single", "x"]);
    await connection.execute(insert, ["prepared", "x"]);
    await connection.beginTransaction();
    await connection.query(insert, ["first", "x"]);
    await connection.query("UPDATE outbox SET body = ? WHERE message_id = ?", ["y", "first"]);
    await connection.query("SELECT * FROM outbox");
    await connection.commit();
    await connection.beginTransaction();
    await connection.query(insert, ["undone", "x"]);
    await connection.rollback();
    await connection.end();

    // Assess
    expect({ labels: labels(), rows: await rows() }).to.deep.equal({
      labels: [
        "sql.insert outbox(message_id=single)#1",
        "sql.insert outbox(message_id)#1",
        "sql.insert outbox(message_id=first) + update outbox(body)#1",
      ],
      rows: ["first", "prepared", "single"],
    });
  });

  it("carries what comes in many pieces", async () => {
    // Prepare
    const [connection, body] = [await connect(), "x".repeat(3 * 1024 * 1024)];

    // Act
    await connection.query(insert, ["long", body]);
    const [found] = await connection.query<mysql.RowDataPacket[]>("SELECT body FROM outbox");
    await connection.end();

    // Assess
    expect(found.map((row) => (row["body"] as string).length)).to.deep.equal([body.length]);
    expect(labels()).to.deep.equal(["sql.insert outbox(message_id=long)#1"]);
  });

  it("cut before: the statement was never carried out", async () => {
    // Act
    const error = await cutAt("before", (connection) => connection.query(insert, ["single", "x"]));

    // Assess
    expect(error).to.be.instanceOf(Error);
    expect(await rows()).to.deep.equal([]);
  });

  it("cut after: the statement was carried out, and the client does not know", async () => {
    // Act
    const error = await cutAt("after", (connection) => connection.query(insert, ["single", "x"]));

    // Assess
    expect(error).to.be.instanceOf(Error);
    expect(await rows()).to.deep.equal(["single"]);
  });

  for (const [moment, left] of [
    ["before", []],
    ["after", ["first", "second"]],
  ] as const) {
    it(`a transaction that is cut ${moment} its commit leaves ${left.length} rows`, async () => {
      // Act
      const error = await cutAt(moment, async (connection) => {
        await connection.beginTransaction();
        await connection.query(insert, ["first", "x"]);
        await connection.query(insert, ["second", "x"]);
        await connection.commit();
      });

      // Assess
      expect(error).to.be.instanceOf(Error);
      expect(await rows()).to.deep.equal(left);
    });
  }
});
