import { expect } from "chai";
import fc from "fast-check";
import { CommandReader, preparedStatement } from "../../local/chaos/wires/sql-packets.ts";

const packet = (sequence: number, payload: Buffer): Buffer => {
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, payload]);
};
const query = (sql: string) => Buffer.concat([Buffer.from([0x03]), Buffer.from(sql)]);

describe("commands in what a database client sends", () => {
  it("are found wherever the stream is cut, and lose no byte", () => {
    const statements = fc.array(fc.string({ unit: "binary", maxLength: 60 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(statements, fc.integer({ min: 1, max: 40 }), (sent, size) => {
        // Prepare
        const stream = Buffer.concat(sent.map((sql) => packet(0, query(sql))));
        const reader = new CommandReader();

        // Act
        const found = Array.from({ length: Math.ceil(stream.length / size) }, (_, index) =>
          reader.read(stream.subarray(index * size, (index + 1) * size)),
        ).flat();

        // Assess
        expect(found.map(({ command }) => command)).to.deep.equal(
          sent.map((sql) => ({ kind: "query", sql: Buffer.from(sql).toString("utf8") })),
        );
        expect(Buffer.concat(found.map(({ bytes }) => bytes)).equals(stream)).to.equal(true);
      }),
      { numRuns: 50 },
    );
  });

  it("may be longer than one packet", () => {
    // Prepare
    const whole = query("x".repeat(0xffffff + 10));
    const stream = Buffer.concat([packet(0, whole.subarray(0, 0xffffff)), packet(1, whole.subarray(0xffffff))]);

    // Act
    const found = new CommandReader().read(stream);

    // Assess
    expect(found.map(({ command, bytes }) => [command.kind, bytes.length])).to.deep.equal([["query", stream.length]]);
  });

  it("are not the packets of the handshake", () => {
    // Act
    const found = new CommandReader().read(packet(1, query("a password that begins like a query")));

    // Assess
    expect(found.map(({ command }) => command)).to.deep.equal([{ kind: "other" }]);
  });

  it("name the statement that they execute", () => {
    // Prepare
    const execute = Buffer.alloc(10);
    execute[0] = 0x17;
    execute.writeUInt32LE(7, 1);
    const prepared = packet(1, Buffer.from([0x00, 7, 0, 0, 0, 1, 0, 2, 0]));

    // Act
    const [found] = new CommandReader().read(packet(0, execute));

    // Assess
    expect([found?.command, preparedStatement(prepared)]).to.deep.equal([{ kind: "execute", statement: 7 }, 7]);
  });
});
