/** Whole exchanges through the HTTP API, judged from outside. They run at once, as they do in life. */
import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { execa } from "execa";
import type { AnnotationChoices } from "../../contracts/annotations.ts";
import { metadataKinds, type MetadataKind } from "../../contracts/request.ts";
import { statusTable } from "../../contracts/ledger.ts";
import {
  checkExchange,
  takeFingerprint,
  type Before,
  type CheckResult,
  type Outsider,
} from "../../local/check/check.ts";
import { createClient, type Client, type ExchangeView } from "../../local/platform/client.ts";
import { openOutsider } from "../../local/platform/outsider.ts";
import { caseSchemaPrefix, startPlatform, type Platform } from "../../local/platform/platform.ts";
import { quietly } from "../../local/platform/stage.ts";
import { makeCaseFromFiles } from "../../local/samples/from-files.ts";
import { makeDestinationCase } from "../../local/samples/make.ts";
import { sharedCloud } from "../support/cloud.ts";

interface Asked {
  readonly sourceCaseId: number;
  readonly destinationCaseId: number;
  readonly selection: Readonly<Record<string, unknown>>;
  readonly documentIds: readonly string[];
  readonly includeNatives: boolean;
  readonly metadata: readonly MetadataKind[];
  readonly annotations?: AnnotationChoices;
  /** Those of the selection that `excludePrivileged` leaves out. */
  readonly excluded?: readonly string[];
}

interface Ended extends Asked {
  readonly view: ExchangeView;
  readonly verdict: CheckResult;
}

describe("an exchange, from the HTTP request to the last resource gone", function () {
  this.timeout(300_000);

  let platform: Platform;
  let outsider: Outsider & { close: () => Promise<void> };
  let client: Client;
  let folder: string;
  const ended = new Map<string, Ended>();

  before(async () => {
    platform = await startPlatform({ cloud: await sharedCloud(), stage: quietly });
    const token = await platform.issuer.token({
      subject: "suite",
      scopes: ["exchange:read", "exchange:write"],
      cases: "*",
    });
    client = createClient(platform.engineUrl, token);
    outsider = await openOutsider(platform);
    folder = await makeOwnFiles();
    const asked = await prepare();
    const pictures = new Map<string, Before>();
    for (const [name, one] of asked) pictures.set(name, await takeFingerprint(of(one)));
    await overloadDocumentEngine();
    const views = await Promise.all([...asked].map(async ([name, one]) => [name, one, await exchange(one)] as const));
    for (const [name, one, view] of views) {
      const picture = pictures.get(name);
      if (!picture) throw new Error(`no picture of ${name}`);
      const { exchangeId } = view;
      const { documentIds, includeNatives, metadata, annotations: choices, destinationCaseId } = one;
      const { reviewed } = platform.cases;
      const annotated = choices && { choices, batchId: "suite", destinationCaseId, reviewed };
      const asked = { exchangeId, documentIds, includeNatives, metadata, ...(annotated && { annotated }) };
      const checked = view.state === "FINISHED" ? [asked] : [];
      ended.set(name, { ...one, view, verdict: await checkExchange(of(one), picture, checked) });
    }
  });

  after(async () => {
    await outsider.close();
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const of = ({ sourceCaseId, destinationCaseId }: Asked): Outsider => ({
    ...outsider,
    sourceCaseId,
    destinationCaseId,
  });

  const result = (name: string): Ended => {
    const found = ended.get(name);
    if (!found) throw new Error(`no exchange ${name} was run`);
    return found;
  };

  /** The exchanges of this suite, each into a destination of its own. */
  async function prepare(): Promise<Map<string, Asked>> {
    const { cases, cloud } = platform;
    const s3 = new S3Client(cloud.client("platform"));
    const store = { database: cloud.database, s3, caseBucket: cloud.caseBucket, caseSchemaPrefix };
    const [filesCaseId, own, bare, full, annotated, oddCaseId, odd] = [201, 202, 203, 204, 205, 206, 207];
    const files = await makeCaseFromFiles({ ...store, caseId: filesCaseId, directory: folder });
    const oddFiles = await makeCaseFromFiles({ ...store, caseId: oddCaseId, directory: folder });
    await makeRecordsOdd(oddCaseId, oddFiles.documentIds);
    for (const caseId of [own, bare, full, annotated, odd]) await makeDestinationCase(store, caseId);
    await takeEveryConfidentialityBit(full);
    s3.destroy();
    const excluded = await privilegedAmong(cases.sourceCaseId, cases.expectedDocumentIds);
    const sample = {
      sourceCaseId: cases.sourceCaseId,
      selection: cases.selection,
      documentIds: cases.expectedDocumentIds,
      includeNatives: true,
      metadata: metadataKinds,
    };
    return new Map<string, Asked>([
      ["everything", { ...sample, destinationCaseId: cases.destinationCaseId }],
      [
        "the least",
        {
          ...{ ...sample, destinationCaseId: bare, includeNatives: false, metadata: [], excluded },
          documentIds: cases.expectedDocumentIds.filter((id) => !excluded.includes(id)),
        },
      ],
      ["no free code", { ...sample, destinationCaseId: full }],
      ["annotated", { ...sample, destinationCaseId: annotated, annotations: annotationChoices }],
      [
        "own files",
        {
          ...sample,
          sourceCaseId: filesCaseId,
          destinationCaseId: own,
          selection: { all: true },
          documentIds: files.documentIds,
        },
      ],
      [
        "odd records",
        {
          ...sample,
          sourceCaseId: oddCaseId,
          destinationCaseId: odd,
          selection: { all: true },
          documentIds: oddFiles.documentIds,
        },
      ],
    ]);
  }

  /** Batches as other products name them, and a size that no object has. */
  async function makeRecordsOdd(caseId: number, documentIds: readonly string[]): Promise<void> {
    const admin = await platform.cloud.database.admin();
    try {
      await admin.changeUser({ database: `${caseSchemaPrefix}_${caseId}` });
      for (const [index, batch] of ["VOL.001", "", "Vol 1"].entries()) {
        await admin.query("UPDATE documents SET batch_id = ? WHERE id = ?", [batch, documentIds[index]]);
      }
      await admin.query("UPDATE document_variants SET size = 18446744073709551615 WHERE document_id = ?", [
        documentIds[3],
      ]);
    } finally {
      await admin.end();
    }
  }

  /** In the order of their ids. */
  async function privilegedAmong(caseId: number, ids: readonly string[]): Promise<string[]> {
    const admin = await platform.cloud.database.admin();
    await admin.changeUser({ database: `${caseSchemaPrefix}_${caseId}` });
    const [rows] = await admin.query(
      `SELECT DISTINCT d.id FROM documents d LEFT JOIN exhibits e ON e.document_id = d.id
       WHERE (d.status = 3 OR e.relevancy = 'privileged') AND d.id IN (?) ORDER BY d.id`,
      [ids],
    );
    await admin.end();
    return (rows as { id: number }[]).map(({ id }) => String(id));
  }

  /** For a while Document Engine refuses, loses and cuts answers; fewer of each than a processor retries. */
  async function overloadDocumentEngine(): Promise<void> {
    const { url, tokenFile } = platform.cloud.documentEngine;
    const answer = await fetch(new URL("/stand-in/faults", url), {
      method: "PUT",
      headers: {
        authorization: `Token token="${await readFile(tokenFile, "utf8")}"`,
        "content-type": "application/json",
      },
      body: JSON.stringify([
        { path: "^/build$", times: 4, fault: { kind: "unavailable" } },
        { path: "^/build$", times: 1, fault: { kind: "lostAnswer" } },
        { method: "GET", path: "/annotations$", times: 3, fault: { kind: "overload" } },
        { method: "GET", path: "/annotations$", times: 2, fault: { kind: "cut" } },
        { path: "/pages/text$", times: 5, fault: { kind: "unavailable" } },
        { method: "POST", path: "^/documents$", times: 4, fault: { kind: "lostAnswer" } },
      ]),
    });
    expect(answer.status, await answer.text()).to.be.below(300);
  }

  async function takeEveryConfidentialityBit(caseId: number): Promise<void> {
    const admin = await platform.cloud.database.admin();
    try {
      await admin.changeUser({ database: `${caseSchemaPrefix}_${caseId}` });
      const [rows] = await admin.query("SELECT bit_index FROM confidentiality_codes");
      const taken = new Set((rows as { bit_index: number }[]).map((row) => row.bit_index));
      const free = Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => !taken.has(bit));
      const values = free.map((bit) => [`Taken ${bit}`, bit]);
      await admin.query("INSERT INTO confidentiality_codes (name, bit_index) VALUES ?", [values]);
    } finally {
      await admin.end();
    }
  }

  async function exchange(asked: Asked): Promise<ExchangeView> {
    const { sourceCaseId, destinationCaseId, selection, includeNatives, metadata, annotations, excluded } = asked;
    const body = {
      sourceCaseId,
      destinationCaseId,
      batchId: "suite",
      selection,
      includeNatives,
      metadata,
      annotations,
      ...(excluded && { excludePrivileged: true }),
    };
    const [first, second] = await Promise.all([
      client.request("POST", "/exchanges", { body }),
      client.request("POST", "/exchange", { body }),
    ]);
    expect([first.status, second.status, second.body]).to.deep.equal([202, 202, first.body]);
    return client.follow((first.body as { exchangeId: string }).exchangeId);
  }

  it("copies every selected file and row, whole and once, and leaves nothing behind", () => {
    const { view, verdict, documentIds } = result("everything");

    expect(verdict.problems).to.deep.equal([]);
    expect(view.state).to.equal("FINISHED");
    expect(verdict.documents).to.deep.equal({
      selected: documentIds.length,
      copied: documentIds.length - 1,
      notFound: 1,
      failed: 0,
    });
    expect(verdict.leftovers).to.equal(0);
  });

  it("tells its caller what the outsider found", () => {
    const { view, verdict } = result("everything");

    expect(view.documents).to.deep.equal(verdict.documents);
  });

  it("names the document that has no file", async () => {
    const { view } = result("everything");

    const answer = await client.request("GET", `/exchanges/${view.exchangeId}/documents?state=not_found`);

    const { documents } = answer.body as { documents: { stage: string; documentId: string; state: string }[] };
    expect(new Set(documents.map(({ state }) => state))).to.deep.equal(new Set(["not_found"]));
    expect(new Set(documents.map(({ documentId }) => documentId)).size).to.equal(1);
  });

  it("passes through its states in order", () => {
    const { view } = result("everything");

    const states = view.stateHistory.map(({ state }) => state);
    expect(states).to.deep.equal([
      "ACCEPTED",
      "PROVISIONING",
      "STARTING",
      "COPYING_RECORDS",
      "CONSTRUCTING_PAYLOAD",
      "PROCESSING",
      "DRAINING",
      "DESTROYING",
      "FINISHED",
    ]);
  });

  it("leaves natives and unwanted metadata at home when they are not asked for", () => {
    const { view, verdict } = result("the least");

    expect(verdict.problems).to.deep.equal([]);
    expect(view.state).to.equal("FINISHED");
    expect(verdict.rows["custodian_exhibits"]).to.deep.equal({ source: 0, target: 0 });
  });

  it("copies a user's own files whatever they are called", () => {
    const { view, verdict } = result("own files");

    expect(verdict.problems).to.deep.equal([]);
    expect([view.state, verdict.documents.copied]).to.deep.equal(["FINISHED", ownFiles.length]);
  });

  it("fails the one document whose record cannot be right, by name, and copies all other documents", async () => {
    const { view, verdict, documentIds } = result("odd records");

    const answer = await client.request("GET", `/exchanges/${view.exchangeId}/documents?state=failed`);

    const { documents } = answer.body as { documents: { documentId: string; error: { code: string } }[] };
    expect(view.state).to.equal("FINISHED");
    expect(view.documents).to.deep.equal({ selected: 6, copied: 5, notFound: 0, failed: 1 });
    expect(verdict.documents).to.deep.equal(view.documents);
    expect(documents.map(({ documentId, error }) => [documentId, error.code])).to.deep.equal([
      [documentIds[3], "INVALID_RECORD"],
    ]);
    expect(verdict.problems).to.have.length(1);
    expect(verdict.problems[0]).to.contain("is missing in the destination");
  });

  it("ends FAILED with the reason, changes nothing and leaves nothing when the record copy cannot be done", () => {
    const { view, verdict } = result("no free code");

    expect(view.state).to.equal("FAILED");
    expect(view.failure?.message).to.contain("confidentiality");
    expect(verdict).to.deep.equal({
      problems: [],
      documents: { selected: 0, copied: 0, notFound: 0, failed: 0 },
      rows: {},
      leftovers: 0,
    });
  });

  it("brings annotations of every kind once each, and nothing that a redaction hides, though Document Engine was overloaded", () => {
    const { view, verdict } = result("annotated");

    expect(verdict.problems).to.deep.equal([]);
    expect(view.state).to.equal("FINISHED");
    expect(verdict.annotations).to.deep.equal({
      branded: 48,
      layers: 8,
      comments: 24,
      redactionsProven: 30,
      leaks: 0,
    });
    expect(view.redactions).to.deep.equal({ fetched: 30, branded: 30, layered: 0, left: 0 });
    expect(verdict.search?.indexed).to.equal(43);
  });

  it("says what of an exchange with annotations its caller should know", async () => {
    const { view } = result("annotated");

    const answer = await client.request("GET", `/exchanges/${view.exchangeId}/documents?state=done&limit=500`);

    const { documents } = answer.body as { documents: { documentId: string; warning?: { code: string } }[] };
    const warned = documents.filter(({ warning }) => warning?.code === "ANNOTATIONS_NOT_CARRIED");
    const { reviewed } = platform.cases;
    expect(warned.map(({ documentId }) => documentId).sort()).to.deep.equal(
      reviewed.map((one) => one.documentId).sort(),
    );
    expect(view.warnings?.map(({ code }) => code)).to.include.members([
      "PRIVILEGED_INCLUDED",
      "NATIVES_UNREDACTED",
      "ANNOTATIONS_NOT_CARRIED",
    ]);
  });

  it("counts the redactions that a copy without annotations leaves behind, though Document Engine was overloaded", () => {
    const { view } = result("everything");

    expect(view.redactions).to.deep.equal({ fetched: 30, branded: 0, layered: 0, left: 30 });
    expect(view.warnings?.find(({ code }) => code === "REDACTIONS_NOT_APPLIED")?.count).to.equal(30);
  });

  it("leaves privileged and held-back documents out, each by its id", async () => {
    const { view, verdict, documentIds, excluded = [] } = result("the least");

    const answer = await client.request("GET", `/exchanges/${view.exchangeId}/documents?state=excluded&limit=500`);

    const { documents } = answer.body as { documents: { documentId: string; warning?: { code: string } }[] };
    expect(documents.map(({ documentId }) => documentId).sort()).to.deep.equal(excluded.toSorted());
    expect(new Set(documents.map(({ warning }) => warning?.code))).to.deep.equal(new Set(["PRIVILEGED_EXCLUDED"]));
    expect(view.warnings?.find(({ code }) => code === "PRIVILEGED_EXCLUDED")?.count).to.equal(excluded.length);
    expect(verdict.documents.selected).to.equal(documentIds.length);
    expect(documentIds.length * excluded.length).to.be.above(0);
  });

  it("publishes how each exchange ended to those who watch its status", async () => {
    const admin = await platform.cloud.database.admin();
    const [rows] = await admin.query("SELECT exchange_id, status FROM documentexchanger.??", [statusTable]);
    await admin.end();

    const statuses = new Map(
      (rows as { exchange_id: string; status: string }[]).map((row) => [row.exchange_id, row.status]),
    );
    const expected = [...ended.values()].map(({ view }) => [view.exchangeId, `EXCHANGER_${view.state}`]);
    expect(expected.map(([id]) => [id, statuses.get(String(id))])).to.deep.equal(expected);
  });

  it("leaves the global stack as its program describes it", async () => {
    const preview = await execa("pulumi", ["preview", "-s", "global-local", "--expect-no-changes", "--refresh"], {
      cwd: platform.cloud.projectDir,
      env: platform.cloud.pulumiEnv("operator"),
      reject: false,
      all: true,
    });

    expect(preview.exitCode, preview.all).to.equal(0);
  });
});

const annotationChoices: AnnotationChoices = {
  redactionsAs: "brand_in",
  highlightsAs: "brand_in",
  notesAs: "layer",
  stickersAs: "brand_in",
  batesAs: "brand_in",
  confidentialityCodesAs: "brand_in",
  comments: true,
};

const ownFiles = [
  ["letter with spaces & #1 100%.txt", "plain text"],
  ["+plus?question.txt", "odd characters"],
  ["empty", ""],
  ["separators\u2028of\u2029lines.txt", "a key that must not break a line of the manifest"],
  ["sub/sub/\u{1F4CE} Ελληνικά 文書.bin", "\u0000\u0001binary"],
  [`sub/${"long".repeat(60)}.txt`, "a name of 244 characters"],
] as const;

async function makeOwnFiles(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "exchanger-files-"));
  for (const [name, content] of ownFiles) {
    const path = join(folder, name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, content);
  }
  return folder;
}
