import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { Wire } from "./http-wire.ts";
import { CommandReader, preparedStatement, type Command } from "./sql-packets.ts";
import { nameWrites, parseWrite, type Write } from "./sql-label.ts";
import type { Call, Seen, Switchboard } from "./switchboard.ts";

export interface SqlWireOptions {
  readonly switchboard: Switchboard;
  readonly target: () => { readonly host: string; readonly port: number };
}

/** A proxy before the database server that holds what makes a change last, and the answer to it, until it is decided. */
export async function openSqlWire(options: SqlWireOptions): Promise<Wire> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(options.target());
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay();
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
      // What broke is closed, which the other end is told by the line above.
      socket.on("error", () => undefined);
    }
    new Line(client, upstream, options.switchboard).join();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** One connection. A client of this protocol sends its next command when the last one is answered. */
class Line {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #switchboard: Switchboard;
  readonly #reader = new CommandReader();
  readonly #prepared = new Map<number, string>();
  /** The writes of the transaction that is open; nothing outside of one. */
  #transaction: Write[] | undefined;
  #asked: { call?: Call; prepares?: string } = {};
  #outward: Promise<void> = Promise.resolve();
  #inward: Promise<void> = Promise.resolve();

  constructor(client: Socket, upstream: Socket, switchboard: Switchboard) {
    this.#client = client;
    this.#upstream = upstream;
    this.#switchboard = switchboard;
  }

  join(): void {
    this.#client.on("data", (chunk: Buffer) => {
      for (const { command, bytes } of this.#reader.read(chunk)) {
        this.#outward = this.#outward.then(() => this.#ask(command, bytes)).catch(() => this.#cut());
      }
    });
    this.#upstream.on("data", (chunk: Buffer) => {
      this.#inward = this.#inward.then(() => this.#answer(chunk)).catch(() => this.#cut());
    });
  }

  async #ask(command: Command, bytes: Buffer): Promise<void> {
    const sql =
      command.kind === "execute" ? this.#prepared.get(command.statement) : "sql" in command ? command.sql : "";
    this.#asked = command.kind === "prepare" ? { prepares: command.sql } : {};
    const seen = command.kind === "prepare" ? undefined : this.#effectOf(sql ?? "");
    if (seen) {
      const call = this.#switchboard.number(seen);
      this.#asked = { call };
      if ((await this.#switchboard.decide(call, "before")).do !== "pass") {
        this.#cut();
        return;
      }
    }
    this.#upstream.write(bytes);
  }

  async #answer(chunk: Buffer): Promise<void> {
    const { call, prepares } = this.#asked;
    this.#asked = {};
    if (prepares !== undefined) {
      const statement = preparedStatement(chunk);
      if (statement !== undefined) this.#prepared.set(statement, prepares);
    }
    if (call && (await this.#switchboard.decide(call, "after")).do !== "pass") {
      this.#cut();
      return;
    }
    this.#client.write(chunk);
  }

  /** A write by itself, or the commit of those that were collected. */
  #effectOf(sql: string): Seen | undefined {
    const verb = /^\s*([a-z]+)/i.exec(sql)?.[1]?.toLowerCase();
    if (verb === "begin" || verb === "start") this.#transaction = [];
    if (verb === "rollback") this.#transaction = undefined;
    if (verb === "commit") {
      const writes = this.#transaction ?? [];
      this.#transaction = undefined;
      return writes.length > 0 ? nameWrites(writes) : undefined;
    }
    const write = parseWrite(sql);
    if (!write || !this.#transaction) return write && nameWrites([write]);
    this.#transaction.push(write);
    return undefined;
  }

  #cut(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }
}
