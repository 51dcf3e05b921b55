import { expect } from "chai";
import { sql } from "kysely";
import { redactions } from "../../engine/registry/migrations/0004_redactions.ts";
import { find } from "../../engine/registry/exchanges.ts";
import { RegistryBench } from "./registry-kit.ts";
import { acceptedExchange, request } from "./kit.ts";

describe("the migration of redactions", function () {
  this.timeout(60_000);
  const bench = new RegistryBench();

  const columns = async () => {
    const { rows } = await sql<{ name: string }>`
      select concat(table_name, '.', column_name) as name from information_schema.columns
      where table_schema = database() and (column_name like 'redactions%' or column_name like 'privileged%'
        or column_name = 'removed')`.execute(bench.db);
    return rows.map(({ name }) => name).sort();
  };
  const all = [
    "exchange_documents.redactions_branded",
    "exchange_documents.redactions_fetched",
    "exchange_documents.redactions_layered",
    "exchange_documents.redactions_left",
    "exchange_documents.removed",
    "exchanges.privileged_copied",
    "exchanges.privileged_selected",
  ];

  it("can be applied again, also where a crash had left half of it", async () => {
    await sql`alter table exchange_documents drop column removed, drop column redactions_left`.execute(bench.db);
    await sql`alter table exchanges drop column privileged_copied`.execute(bench.db);
    const half = await columns();

    await redactions.up(bench.db);
    const whole = await columns();
    await redactions.up(bench.db);

    expect([half.length, whole, await columns()]).to.deep.equal([4, all, all]);
  });

  it("says of earlier requests that did not name redactions that they leave them, and changes no other request", async () => {
    const unnamed = request({ annotations: { notesAs: "layer" } as never });
    const ids = [
      await acceptedExchange(bench.db, { request: unnamed }),
      await acceptedExchange(bench.db, { request: request({ annotations: { redactionsAs: "layer" } }) }),
      await acceptedExchange(bench.db, { request: request() }),
    ];

    await redactions.up(bench.db);

    const found = await Promise.all(ids.map((id) => find(bench.db, id)));
    expect(found.map((record) => record?.request)).to.deep.equal([
      request({ annotations: { redactionsAs: "leave", notesAs: "layer" } }),
      request({ annotations: { redactionsAs: "layer" } }),
      request(),
    ]);
  });

  it("does not make a request of an earlier release exclude anything", async () => {
    const earlier = { ...request(), excludePrivileged: undefined } as never;
    const id = await acceptedExchange(bench.db, { request: earlier });

    expect((await find(bench.db, id))?.request).to.deep.equal(request());
  });
});
