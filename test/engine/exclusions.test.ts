import { randomBytes } from "node:crypto";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { privilegedKey, reportKey } from "../../contracts/manifest.ts";
import { act, type Hands } from "../../engine/lifecycle/act.ts";
import { find } from "../../engine/registry/exchanges.ts";
import { documentCounts, page, stageCounts } from "../../engine/registry/ledger.ts";
import type { Lease } from "../../engine/registry/lease.ts";
import { sharedCloud } from "../support/cloud.ts";
import { request } from "./kit.ts";
import { RegistryBench } from "./registry-kit.ts";

const now = new Date("2026-01-01T00:00:00Z");
const report = { documents: 3, parts: 1, rows: {}, skipped: [], seconds: 1 };

describe("documents that the record copy left out", function () {
  this.timeout(60_000);
  const bench = new RegistryBench();
  const bucket = `exclusions-${randomBytes(4).toString("hex")}`;
  let s3: S3Client;

  before(async () => {
    s3 = new S3Client({ ...(await sharedCloud()).client("operator"), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  });
  after(() => {
    s3.destroy();
  });

  /** An exchange whose record copy has ended, with what it wrote. */
  async function copied(
    excludePrivileged: boolean,
    objects: Record<string, string>,
  ): Promise<{ id: string; lease: Lease }> {
    const { id, lease } = await bench.leased();
    const asked = JSON.stringify(request({ excludePrivileged }));
    await bench.db.updateTable("exchanges").set({ state: "COPYING_RECORDS", request: asked }).execute();
    const keys: Record<string, string> = { report: reportKey(id), privileged: privilegedKey(id) };
    for (const [name, Body] of Object.entries(objects)) {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: keys[name], Body }));
    }
    return { id, lease };
  }
  async function move({ id, lease }: { id: string; lease: Lease }) {
    const hands = { db: bench.db, aws: { s3 }, global: { dataBucket: bucket } } as unknown as Hands;
    const action = { do: "move", to: "CONSTRUCTING_PAYLOAD" } as const;
    const record = await find(bench.db, id);
    if (!record) throw new Error("the exchange is gone");
    await act({ action, reason: "the records are copied" }, record, now, lease, hands);
  }

  it("are listed by their ids with the reason, and are no documents or units of the exchange", async () => {
    // Prepare
    const excluded = [
      { documentId: "7", because: ["privileged"] },
      { documentId: "9", because: ["privileged", "held_back"] },
    ];
    const many = Array.from({ length: 1200 }, (_, index) => ({
      documentId: String(100 + index),
      because: ["held_back"],
    }));
    const found = JSON.stringify({ included: 0, excluded: [...excluded, ...many] });
    const privileged = { included: 0, excluded: 1202 };
    const exchange = await copied(true, { report: JSON.stringify({ ...report, privileged }), privileged: found });

    // Act
    await move(exchange);

    // Assess
    const record = await find(bench.db, exchange.id);
    expect([record?.state, record?.facts.privilegedCopied]).to.deep.equal(["CONSTRUCTING_PAYLOAD", privileged]);
    const { entries } = await page(bench.db, exchange.id, { state: "excluded", after: undefined, limit: 2000 });
    const row = (documentId: string, reasons: string) => ({
      ...{ stage: "selection", unitId: documentId, documentId, state: "excluded", occurredAt: now },
      ...{ redactions: null, removed: null },
      error: {
        code: "PRIVILEGED_EXCLUDED",
        message: `the document is ${reasons}, and excludePrivileged leaves it out`,
      },
    });
    expect(entries.length).to.equal(1202);
    expect(entries.filter(({ unitId }) => ["7", "9", "1299"].includes(unitId))).to.deep.equal([
      row("1299", "held back"),
      row("7", "privileged"),
      row("9", "privileged and held back"),
    ]);
    expect(await stageCounts(bench.db, exchange.id)).to.deep.equal({});
    expect(await documentCounts(bench.db, exchange.id)).to.deep.equal({
      ...{ seen: 0, failed: 0, notFound: 0, withheld: 0, excluded: 1202 },
    });
  });

  it("may be none, where the number of those that travel is kept", async () => {
    const privileged = { included: 4, excluded: 0 };
    const exchange = await copied(false, { report: JSON.stringify({ ...report, privileged }) });

    await move(exchange);

    expect((await find(bench.db, exchange.id))?.facts.privilegedCopied).to.deep.equal(privileged);
  });

  it("stop the exchange by name where the record copy does not report them", async () => {
    const exchange = await copied(true, { report: JSON.stringify(report) });

    const thrown: unknown = await move(exchange).catch((error: unknown) => error);

    expect(thrown).to.include({ name: "PermanentError", code: "PRIVILEGED_NOT_EXCLUDED" });
    expect((await find(bench.db, exchange.id))?.state).to.equal("COPYING_RECORDS");
  });
});
