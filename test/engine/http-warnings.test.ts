import { expect } from "chai";
import { notCarried, notCounted } from "../../contracts/redactions.ts";
import { addExcluded } from "../../engine/registry/ledger.ts";
import { expectProblem, good, httpBench } from "./http-kit.ts";
import { acceptedExchange, request, testApi } from "./kit.ts";

interface Warning {
  code: string;
  message: string;
  count?: number;
}
interface Body {
  exchangeId: string;
  warnings?: Warning[];
  redactions?: object;
  documents: Record<string, unknown>;
}

describe("HTTP interface: warnings about redactions and privilege", function () {
  this.timeout(60_000);
  const bench = httpBench();
  const everything = { ...good, selection: { all: true } };

  const get = async (id: string) =>
    (await bench.api.call("GET", `/exchanges/${id}`, { token: bench.token })).body as Body;
  const documentsOf = async (id: string, query = "") => {
    const { body } = await bench.api.call("GET", `/exchanges/${id}/documents${query}`, { token: bench.token });
    return (body as { documents: Record<string, unknown>[] }).documents;
  };
  const codes = ({ warnings = [] }: { warnings?: Warning[] }) => warnings.map(({ code, count }) => [code, count]);

  /** Rows of done documents; `more` overrides columns. */
  async function ledger(id: string, ...rows: (Record<string, unknown> & { unit_id: string })[]) {
    const common = {
      exchange_id: id,
      stage: "pre_upload",
      state: "done",
      occurred_at: new Date("2026-01-01"),
    } as const;
    for (const more of rows) {
      const row = { ...common, document_id: `1${more.unit_id}`, event_id: `e${more.unit_id}`, ...more };
      await bench.db.insertInto("exchange_documents").values(row).execute();
    }
  }
  const counted = (branded: number, layered: number, left: number) => ({
    ...{ redactions_branded: branded, redactions_layered: layered, redactions_left: left },
    redactions_fetched: branded + layered + left,
  });

  const choices: [title: string, body: object, warned: boolean][] = [
    ["without annotations", {}, true],
    ["that leaves redactions", { annotations: { redactionsAs: "leave", notesAs: "layer" } }, true],
    ["that brands redactions", { annotations: { redactionsAs: "brand_in" } }, false],
    ["that carries redactions as a layer", { annotations: { redactionsAs: "layer" } }, false],
  ];
  for (const [title, more, isWarned] of choices) {
    it(`an exchange ${title} ${isWarned ? "warns" : "does not warn"} that redactions are not applied, in POST and GET`, async () => {
      const posted = (await bench.post({ ...good, ...more })).body as Body;
      const shown = await get(posted.exchangeId);

      const expected = isWarned ? [["REDACTIONS_NOT_APPLIED", undefined]] : [];
      expect([codes(posted), codes(shown)]).to.deep.equal([expected, expected]);
    });
  }

  it("an exchange without annotations warns also where there is no Document Engine", async () => {
    const api = await testApi(bench.db, bench.cases.reader, false);

    const { body } = await api.call("POST", "/exchanges", { token: await api.token(), body: good });

    await api.stop();
    expect(codes(body as Body)).to.deep.equal([["REDACTIONS_NOT_APPLIED", undefined]]);
  });

  it("the warning says how many redactions were left behind once they are counted, and of how many documents they are not", async () => {
    const id = await acceptedExchange(bench.db);
    const uncounted = { code: notCounted, message: "Document Engine did not answer" };
    const error = JSON.stringify(uncounted);
    await ledger(
      id,
      { unit_id: "1", stage: "copy", ...counted(0, 0, 2) },
      { unit_id: "2", stage: "copy", ...counted(0, 0, 3) },
      { unit_id: "3", stage: "copy", error },
      { unit_id: "3", stage: "upload" },
    );

    const shown = await get(id);

    expect(shown.redactions).to.deep.equal({ fetched: 5, branded: 0, layered: 0, left: 5 });
    expect(shown.warnings).to.deep.equal([
      {
        code: "REDACTIONS_NOT_APPLIED",
        message:
          "the request has no annotations: 5 redactions of the source case (counted so far) are not applied, and what they hide can be read in the destination case; those of 1 documents could not be counted",
        count: 5,
      },
    ]);
    expect(await documentsOf(id, "?limit=3")).to.deep.equal([
      row("1", "copy", { redactions: { fetched: 2, branded: 0, layered: 0, left: 2 } }),
      row("2", "copy", { redactions: { fetched: 3, branded: 0, layered: 0, left: 3 } }),
      row("3", "copy", { warning: uncounted, warnings: [uncounted] }),
    ]);
  });

  it("the totals of redactions are the sums of the documents, and final once every document has ended", async () => {
    const annotations = { redactionsAs: "leave" } as const;
    const id = await acceptedExchange(bench.db, { request: request({ annotations }) });
    await ledger(id, { unit_id: "1", ...counted(2, 1, 4) }, { unit_id: "2", ...counted(1, 0, 0) }, { unit_id: "3" });
    const payload = { parts: [{ part: "p", documents: 3, copy: 0, pre_upload: 3, upload: 0 }] };
    await bench.db
      .updateTable("exchanges")
      .set({ payload: JSON.stringify(payload) })
      .execute();

    const shown = await get(id);

    expect(shown.redactions).to.deep.equal({ fetched: 8, branded: 3, layered: 1, left: 4 });
    expect(shown.warnings?.map(({ message }) => message)).to.deep.equal([
      "redactionsAs is leave: 4 redactions of the source case are not applied, and what they hide can be read in the destination case",
    ]);
  });

  it("what rebuilt documents have no longer is listed by document and summed in the warnings of the exchange", async () => {
    const annotations = { redactionsAs: "brand_in" } as const;
    const id = await acceptedExchange(bench.db, { request: request({ annotations }) });
    const sameInWords = { code: "CONTENT_REMOVED", message: "links removed: 1" };
    const quoting = { code: notCarried, message: "1 quotes" };
    await ledger(
      id,
      { unit_id: "1", removed: JSON.stringify({ attachments: 2 }) },
      { unit_id: "2", removed: JSON.stringify({ attachments: 2 }) },
      { unit_id: "3", removed: JSON.stringify({ attachments: 1, bookmarks: 4 }), error: JSON.stringify(quoting) },
      { unit_id: "4" },
      { unit_id: "5", removed: JSON.stringify({ "document properties": 3, "metadata streams": 1 }) },
      { unit_id: "6", removed: JSON.stringify({ links: 1 }), error: JSON.stringify(sameInWords) },
    );

    const shown = await get(id);

    expect(codes(shown)).to.deep.equal([
      [notCarried, 1],
      ["CONTENT_REMOVED", 4],
    ]);
    expect(shown.warnings?.[1]?.message).to.equal(
      "attachments removed: 5, bookmarks removed: 4, links removed: 1 (from 4 documents)",
    );
    const removed = { code: "CONTENT_REMOVED", message: "attachments removed: 2" };
    const mixed = { code: "CONTENT_REMOVED", message: "attachments removed: 1, bookmarks removed: 4" };
    expect(await documentsOf(id)).to.deep.equal([
      row("1", "pre_upload", { warning: removed, warnings: [removed], removed: { attachments: 2 } }),
      row("2", "pre_upload", { warning: removed, warnings: [removed], removed: { attachments: 2 } }),
      row("3", "pre_upload", {
        ...{ warning: quoting, warnings: [quoting, mixed] },
        removed: { attachments: 1, bookmarks: 4 },
      }),
      row("4", "pre_upload"),
      row("5", "pre_upload", { removed: { "document properties": 3, "metadata streams": 1 } }),
      row("6", "pre_upload", { warning: sameInWords, warnings: [sameInWords], removed: { links: 1 } }),
    ]);
  });

  describe("where two of three documents are privileged or held back", () => {
    const privileged = [
      "UPDATE @.exhibits SET relevancy = 'privileged' WHERE id = 22",
      "UPDATE @.documents SET status = 3 WHERE id = 13",
    ];
    beforeEach(() => bench.cases.change(...privileged));
    afterEach(() => bench.cases.change("UPDATE @.exhibits SET relevancy = NULL", "UPDATE @.documents SET status = 0"));

    const selections: [title: string, selection: object, count: number][] = [
      ["everything", { all: true }, 2],
      ["one of them by its id", { documentIds: [12, 13] }, 1],
      ["neither of them", { documentIds: [12] }, 0],
      ["one of them by a label that both of its exhibits have", { labelId: 31 }, 1],
      ["one of them by a folder above its own", { folderTagId: 41 }, 1],
    ];
    for (const [title, selection, count] of selections) {
      it(`a selection of ${title} warns that ${count} travel, also when it is repeated later`, async () => {
        const body = { ...good, selection, annotations: { redactionsAs: "brand_in" } };
        const first = (await bench.post(body)).body as Body;
        await bench.cases.change("UPDATE @.exhibits SET relevancy = NULL", "UPDATE @.documents SET status = 0");

        const second = (await bench.post(body)).body as Body;

        const expected = count > 0 ? [["PRIVILEGED_INCLUDED", count]] : [];
        expect([codes(first), codes(await get(first.exchangeId))]).to.deep.equal([expected, expected]);
        expect(second).to.deep.equal(first);
      });
    }

    it("excludePrivileged leaves them out of what is selected, and says how many", async () => {
      const posted = (await bench.post({ ...everything, excludePrivileged: true })).body as Body;
      const shown = await get(posted.exchangeId);

      const expected = [
        ["PRIVILEGED_EXCLUDED", 2],
        ["REDACTIONS_NOT_APPLIED", undefined],
      ];
      expect([codes(posted), codes(shown)]).to.deep.equal([expected, expected]);
      expect([shown.documents["selected"], shown])
        .to.deep.include(1)
        .and.have.nested.property("[1].excludePrivileged", true);
    });

    it("excludePrivileged is refused by name where it leaves nothing", async () => {
      const body = { ...good, selection: { documentIds: [11, 13] }, excludePrivileged: true };

      const problem = expectProblem(await bench.post(body), 422, "INVALID_REQUEST");

      expect(problem.errors).to.deep.equal([
        { field: "excludePrivileged", message: "leaves out every document of the selection" },
      ]);
    });

    it("the same request with and without excludePrivileged are two different requests", async () => {
      const headers = { "Idempotency-Key": "privileged" };
      await bench.post(everything, { headers });

      const answer = await bench.post({ ...everything, excludePrivileged: true }, { headers });

      expectProblem(answer, 422, "IDEMPOTENCY_KEY_REUSED");
    });
  });

  it("excludePrivileged is refused by name where the source case does not know privilege, and nothing is said of it otherwise", async () => {
    await bench.cases.change("ALTER TABLE @.exhibits DROP relevancy", "ALTER TABLE @.documents DROP status");

    const refused = await bench.post({ ...everything, excludePrivileged: true });
    const taken = (await bench.post(everything)).body as Body;

    await bench.cases.change(
      "ALTER TABLE @.exhibits ADD relevancy ENUM('relevant', 'not_relevant', 'privileged', 'unsure') NULL",
      "ALTER TABLE @.documents ADD status TINYINT(1) NOT NULL DEFAULT 0",
    );
    expect(expectProblem(refused, 422, "INVALID_REQUEST").errors).to.deep.equal([
      {
        field: "excludePrivileged",
        message: "cannot be followed: the source case has neither documents.status nor exhibits.relevancy",
      },
    ]);
    expect(codes(taken)).to.deep.equal([["REDACTIONS_NOT_APPLIED", undefined]]);
  });

  it("a case that has but one of the two columns is judged by that one", async () => {
    await bench.cases.change(
      "ALTER TABLE @.exhibits DROP relevancy",
      "UPDATE @.documents SET status = 3 WHERE id = 12",
    );

    const taken = (await bench.post(everything)).body as Body;

    await bench.cases.change(
      "ALTER TABLE @.exhibits ADD relevancy ENUM('relevant', 'not_relevant', 'privileged', 'unsure') NULL",
      "UPDATE @.documents SET status = 0",
    );
    expect(codes(taken)[0]).to.deep.equal(["PRIVILEGED_INCLUDED", 1]);
  });

  it("what the record copy found and left out takes the place of what was expected, and each document is listed by its id", async () => {
    const id = await acceptedExchange(bench.db, { request: request({ excludePrivileged: true }), privileged: 2 });
    const message = "the document is privileged, and excludePrivileged leaves it out";
    await addExcluded(bench.db, id, [{ documentId: "13", message }], new Date("2026-01-01"));
    await ledger(id, { unit_id: "1", stage: "copy" });
    const copied = JSON.stringify({ included: 0, excluded: 1 });
    await bench.db.updateTable("exchanges").set({ privileged_copied: copied }).execute();

    const shown = await get(id);
    const listed = await documentsOf(id, "?state=excluded");

    expect(codes(shown)[0]).to.deep.equal(["PRIVILEGED_EXCLUDED", 1]);
    expect(shown.documents).to.deep.equal({ selected: 3, copied: 1, notFound: 0, failed: 0, excluded: 1, pending: 2 });
    const warning = { code: "PRIVILEGED_EXCLUDED", message };
    const occurredAt = "2026-01-01T00:00:00.000Z";
    const where = { documentId: "13", stage: "selection", state: "excluded" };
    expect(listed).to.deep.equal([{ ...where, warning, warnings: [warning], occurredAt }]);
  });

  const row = (fileId: string, stage: string, more: object = {}) => ({
    documentId: `1${fileId}`,
    fileId,
    stage,
    state: "done",
    occurredAt: "2026-01-01T00:00:00.000Z",
    ...more,
  });
});
