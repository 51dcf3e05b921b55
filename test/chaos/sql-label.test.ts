import { expect } from "chai";
import { nameWrites, parseWrite, type Write } from "../../local/chaos/wires/sql-label.ts";

const id = "0b9c7c1e-5d43-4c59-9d3e-2f1a6f0d7a11";

/** Statements as the registry's driver sends them, values and all. */
const move = [
  `update \`exchanges\` set \`outcome\` = 'FINISHED', \`state\` = 'DESTROYING', \`state_since\` = utc_timestamp(3), \`updated_at\` = utc_timestamp(3), \`wake_at\` = utc_timestamp(3), \`waiting\` = NULL where \`id\` = '${id}' and \`lease_owner\` = 'vm/1/aa/bb' and \`lease_until\` > utc_timestamp(3) and \`state\` = 'DRAINING'`,
  `insert into \`transitions\` (\`exchange_id\`, \`from_state\`, \`to_state\`, \`reason\`, \`at\`) values ('${id}', 'DRAINING', 'DESTROYING', 'it''s done, (really); \\'yes\\'', utc_timestamp(3))`,
];

describe("names of statements on the registry's wire", () => {
  const write = (sql: string): Write => {
    const parsed = parseWrite(sql);
    if (!parsed) throw new Error(`no write: ${sql}`);
    return parsed;
  };
  const label = (...statements: string[]) => nameWrites(statements.map(write)).label;

  it("a move is named by the state that it leads to and the facts that it sets", () => {
    // Act
    const seen = nameWrites(move.map(write));

    // Assess
    expect(seen).to.deep.equal({
      wire: "sql",
      label: "sql.update exchanges(outcome state=DESTROYING) + insert transitions(to_state=DESTROYING)",
      mutates: true,
      periodic: false,
    });
  });

  it("an operation's intent is named by its purpose and attempt, however its columns are ordered", () => {
    // Act
    const named = label(
      `insert into \`operations\` (\`id\`, \`attempt\`, \`purpose\`, \`kind\`, \`created_at\`) values ('${id}', 1, 'provision', 'up', utc_timestamp(3))`,
    );

    // Assess
    expect(named).to.equal("sql.insert operations(attempt=1 purpose=provision kind=up)");
  });

  it("ids are left out, so that a message has the same name in each run", () => {
    // Act
    const named = label(
      `insert ignore into \`outbox\` (\`message_id\`, \`body\`) values ('${id}:initiated', '{\\"eventId\\":\\"a, b) (c\\"}')`,
    );

    // Assess
    expect(named).to.equal("sql.insert outbox(message_id=*:initiated)");
  });

  it("what only makes an exchange due is an effect of its own", () => {
    // Act
    const seen = nameWrites([
      write("update `exchanges` set `wake_at` = utc_timestamp(3), `signals` = `signals` + 1 where `id` = 'x'"),
    ]);

    // Assess
    expect(seen).to.deep.equal({
      wire: "sql",
      label: "sql.update exchanges(wake_at)",
      mutates: true,
      periodic: false,
    });
  });

  it("an expression's column is named without its value", () => {
    // Act
    const named = label(
      `update \`exchanges\` set \`payload\` = coalesce(payload, '{"a": 1}'), \`signals\` = \`signals\` + 1, \`wake_at\` = case when \`state\` = 'ACCEPTED' then \`wake_at\` else utc_timestamp(3) end where \`id\` = '${id}'`,
    );

    // Assess
    expect(named).to.equal("sql.update exchanges(payload)");
  });

  for (const [what, statement] of [
    [
      "a lease that is taken",
      "update `exchanges` set `lease_owner` = 'a', `lease_until` = utc_timestamp(3) + interval 2000000 microsecond where `id` in ('x')",
    ],
    ["a lease that is prolonged", "update `exchanges` set `lease_until` = utc_timestamp(3) where `id` = 'x'"],
    ["an operation's heartbeat", "update `operations` set `heartbeat_at` = utc_timestamp(3) where `id` = 'x'"],
    [
      "a look into the outbox",
      "update `outbox` set `next_at` = utc_timestamp(3), `attempts` = `attempts` + 1 where `id` in (1)",
    ],
  ] as const) {
    it(`${what} comes as time passes`, () => {
      // Act
      const { periodic } = nameWrites([write(statement)]);

      // Assess
      expect(periodic).to.equal(true);
    });
  }

  for (const statement of [
    "select 1",
    "select `id` from `exchanges` where `state` not in ('FINISHED') for update skip locked",
    "begin",
    "SET NAMES utf8mb4",
    "",
  ]) {
    it(`'${statement.slice(0, 20)}' is no write`, () => {
      // Act
      const parsed = parseWrite(statement);

      // Assess
      expect(parsed).to.equal(undefined);
    });
  }
});
