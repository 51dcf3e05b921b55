import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { violations } from "../../local/chaos/invariants.ts";
import type { Facts, Unit } from "../../local/chaos/judge/facts.ts";
import type { Finding } from "../../local/check/finding.ts";
import { exchangeStates, type ExchangeState } from "../../contracts/states.ts";

const id = randomUUID();
const at = new Date("2026-03-04T05:06:07Z");
const goodLife = exchangeStates.filter((state) => !["FAILING", "CANCELLING", "FAILED", "CANCELLED"].includes(state));

/** One document with its PDF and its native, and one whose PDF is missing in the source. */
function sound(): Facts {
  const unit = (stage: Unit["stage"], fileId: string, documentId: string, state: Unit["state"]): Unit => ({
    stage,
    fileId,
    documentId,
    state,
  });
  const ledger = [
    unit("copy", "1", "10", "done"),
    unit("copy", "2", "10", "done"),
    unit("copy", "3", "11", "not_found"),
    unit("upload", "1", "10", "done"),
    unit("upload", "3", "11", "not_found"),
  ];
  const documents = { selected: 2, copied: 1, notFound: 1, failed: 0 };
  const rows = { documents: { source: 2, target: 2 } };
  const stage = (expected: number) => ({ expected, done: 0, notFound: 0, failed: 0 });
  return {
    exchangeId: id,
    ends: ["FINISHED"],
    costs: 0,
    cancelled: false,
    view: {
      exchangeId: id,
      state: "FINISHED",
      stateHistory: goodLife.map((state) => ({ state, at, reason: "" })),
      documents,
      stages: { copy: stage(3), upload: stage(2) },
    },
    records: undefined,
    rows,
    documents: ledger.toReversed(),
    registry: {
      exchanges: [{ id, state: "FINISHED", waiting: null }],
      transitions: goodLife.map((to, index) => ({ from: goodLife[index - 1] ?? null, to })),
      openOperations: [],
      unpublished: [],
      ledger,
      status: "EXCHANGER_FINISHED",
    },
    events: ["EXCHANGER_INITIATED", "EXCHANGER_DELETE_INITIATED", "EXCHANGER_FINISHED"].map((eventType) => ({
      eventId: `${id}:${eventType}`,
      eventType,
      body: eventType,
    })),
    planned: [
      { fileId: "1", documentId: "10", role: "document" },
      { fileId: "2", documentId: "10", role: "native" },
      { fileId: "3", documentId: "11", role: "document" },
    ],
    manifest: ["1", "2", "3"],
    uploader: new Map([["1", "SUCCESS"]]),
    queues: { ledger: 0, parked: 0 },
    examination: {
      findings: [],
      documents,
      rows,
      leftovers: 0,
      ownRows: ["documents 20"],
      files: new Map([
        [
          id,
          new Map([
            ["1", "copied"],
            ["2", "copied"],
            ["3", "notFound"],
          ] as const),
        ],
      ]),
    },
    remains: [],
  };
}

/** An exchange that was cancelled while it copied its records, and of which nothing is in the destination. */
function cancelled(): Facts {
  const facts = sound();
  const states: ExchangeState[] = ["ACCEPTED", "PROVISIONING", "CANCELLING", "DESTROYING", "CANCELLED"];
  return {
    ...facts,
    cancelled: true,
    records: "none",
    view: {
      ...facts.view!,
      state: "CANCELLED",
      stateHistory: states.map((state) => ({ state, at, reason: "" })),
      documents: { selected: 2, copied: 0, notFound: 0, failed: 0 },
    },
    documents: [],
    registry: {
      ...facts.registry,
      exchanges: [{ id, state: "CANCELLED", waiting: null }],
      transitions: states.map((to, index) => ({ from: states[index - 1] ?? null, to })),
      ledger: [],
      status: "EXCHANGER_CANCELLED",
    },
    events: [{ eventId: `${id}:cancelled`, eventType: "EXCHANGER_CANCELLED", body: "" }],
    manifest: [],
    uploader: new Map(),
    examination: {
      ...facts.examination,
      findings: [{ about: "missing row", text: "documents 10 has not arrived" }],
      rows: { documents: { source: 2, target: 0 } },
      ownRows: [],
      files: new Map([[id, new Map([["1", "failed"]] as const)]]),
    },
  };
}

const said = (facts: Facts) => violations(facts).map(({ invariant, what }) => `${invariant} ${what}`);
const withRegistry = (facts: Facts, change: Partial<Facts["registry"]>): Facts => ({
  ...facts,
  registry: { ...facts.registry, ...change },
});
const withFinding = (facts: Facts, about: Finding["about"]): Facts => ({
  ...facts,
  examination: { ...facts.examination, findings: [...facts.examination.findings, { about, text: `a ${about}` }] },
});
const withLedger = (facts: Facts, ledger: readonly Unit[]): Facts => ({
  ...withRegistry(facts, { ledger }),
  documents: ledger,
});
const spoiled = (fileId: string, stage: Unit["stage"], state: Unit["state"]) =>
  sound().registry.ledger.map((unit) => (unit.fileId === fileId && unit.stage === stage ? { ...unit, state } : unit));

describe("the invariants of a run", () => {
  it("hold when everything is as it must be", () => {
    expect([said(sound()), said(cancelled())]).to.deep.equal([[], []]);
  });

  describe("I1: one end, and it is told once", () => {
    const cases: [string, Facts, string[]][] = [
      ["no answer", { ...sound(), exchangeId: undefined }, ["I1 no request was ever answered with 202"]],
      [
        "a second exchange for the same key",
        withRegistry(sound(), {
          exchanges: [...sound().registry.exchanges, { id: "other", state: "PROCESSING", waiting: "1 of 2" }],
        }),
        [
          `I1 one Idempotency-Key made 2 exchanges: ${id} (FINISHED), other (PROCESSING)`,
          "I1 exchange other has not ended: it is PROCESSING (1 of 2)",
        ],
      ],
      [
        "a final event under two ids",
        { ...sound(), events: [...sound().events, { eventId: "x", eventType: "EXCHANGER_FINISHED", body: "" }] },
        [`I1 EXCHANGER_FINISHED was published under 2 ids: ${id}:EXCHANGER_FINISHED, x`],
      ],
      [
        "one event with two contents",
        {
          ...sound(),
          events: [
            ...sound().events,
            { eventId: `${id}:EXCHANGER_FINISHED`, eventType: "EXCHANGER_FINISHED", body: "another" },
          ],
        },
        ["I1 EXCHANGER_FINISHED was published with 2 contents under one id"],
      ],
      [
        "an event that is not true",
        { ...sound(), events: [...sound().events, { eventId: "f", eventType: "EXCHANGER_FAILED", body: "" }] },
        ["I1 EXCHANGER_FAILED was published, which is not true"],
      ],
      [
        "an event that never came",
        { ...sound(), events: sound().events.slice(1) },
        ["I1 EXCHANGER_INITIATED was never published"],
      ],
      [
        "a status that is behind",
        withRegistry(sound(), { status: "EXCHANGER_INITIATED" }),
        ["I1 users are shown EXCHANGER_INITIATED of an exchange that is FINISHED"],
      ],
      [
        "an operation and a message that are still there",
        withRegistry(sound(), { openOperations: ["destroy"], unpublished: ["m"] }),
        ["I1 operation destroy has not ended", "I1 message m never left"],
      ],
    ];
    for (const [title, facts, expected] of cases)
      it(`names ${title}`, () => expect(said(facts)).to.deep.equal(expected));

    it("names states after the end, and gaps in the history", () => {
      const transitions = [
        ...sound().registry.transitions,
        { from: "COPYING_RECORDS" as const, to: "PROCESSING" as const },
        { from: "PROCESSING" as const, to: "FINISHED" as const },
      ];

      const found = said(withRegistry(sound(), { transitions }));

      expect(found.filter((text) => text.startsWith("I1"))).to.deep.equal([
        "I1 it ended 2 times: FINISHED, FINISHED",
        "I1 its history has a gap: FINISHED, then from COPYING_RECORDS to PROCESSING",
      ]);
    });

    it("names an end that was not to be, and a promise that was not kept", () => {
      expect(said({ ...sound(), ends: ["FAILED"] })).to.deep.equal(["I1 it ended FINISHED, not FAILED: null"]);
      expect(said({ ...sound(), cancelled: true })).to.deep.equal([
        "I1 it was promised to end as CANCELLED and ended FINISHED",
      ]);
    });
  });

  it("I2, I3, I5 and I6 take over what was found in the cases and the account", () => {
    const kinds = [
      ...(["missing file", "wrong file", "stray object"] as const),
      ...(["missing row", "wrong row", "doubled row", "stray row", "dangling key"] as const),
      ...(["unknown table", "changed destination", "leftover", "changed source"] as const),
    ];
    const facts = kinds.reduce(withFinding, { ...sound(), remains: ["process 1"] });

    expect(said(facts)).to.deep.equal([
      ...kinds.slice(0, 3).map((kind) => `I2 a ${kind}`),
      ...kinds.slice(3, 10).map((kind) => `I3 a ${kind}`),
      "I5 a leftover",
      "I5 left over: process 1",
      "I6 a changed source",
    ]);
  });

  describe("I4: what was sent is processed or reported, by name", () => {
    const cases: [string, Facts, string[]][] = [
      [
        "a file that the manifest lacks",
        { ...sound(), manifest: ["1", "3"] },
        ["I4 file 2 is missing in the manifest"],
      ],
      [
        "a file that nobody reported",
        withLedger(
          sound(),
          sound().registry.ledger.filter((unit) => unit.fileId !== "2"),
        ),
        ["I4 file 2 is missing in stage copy of the ledger"],
      ],
      [
        "a file that nobody selected",
        withLedger(sound(), [
          ...sound().registry.ledger,
          { stage: "copy", fileId: "9", documentId: "19", state: "failed" },
        ]),
        [
          "I4 file 9 in stage copy of the ledger was not selected",
          "I4 file 9 has failed in stage copy, though nothing was wrong with it",
        ],
      ],
      [
        "a file that is said to have failed and lies there",
        withLedger(sound(), spoiled("2", "copy", "failed")),
        [
          "I4 file 2 is reported as failed by stage copy, and is in truth done",
          "I4 file 2 has failed in stage copy, though nothing was wrong with it",
        ],
      ],
      [
        "a file that cannot have arrived and is not told as failed",
        { ...sound(), costs: 1 },
        ["I4 1 files cannot have arrived, and 0 are reported as failed"],
      ],
      [
        "an upload that the uploader knows nothing of",
        { ...sound(), uploader: new Map() },
        [
          "I4 file 1 is reported as uploaded, and the uploader never had it",
          'I8 the API says of the documents {"selected":2,"copied":1,"notFound":1,"failed":0}, measured was {"selected":2,"copied":0,"notFound":1,"failed":1}',
        ],
      ],
      [
        "messages that nobody took",
        { ...sound(), queues: { ledger: 0, parked: 2 } },
        ["I4 queue parked still holds 2 messages"],
      ],
    ];
    for (const [title, facts, expected] of cases)
      it(`names ${title}`, () => expect(said(facts)).to.deep.equal(expected));
  });

  describe("I7: an early end leaves the destination whole", () => {
    const some = (facts: Facts): Facts => ({
      ...facts,
      examination: {
        ...facts.examination,
        rows: { documents: { source: 2, target: 1 } },
        ownRows: ["documents 20"],
        files: new Map([[id, new Map([["1", "copied"]] as const)]]),
      },
    });
    const cases: [string, Facts, string[]][] = [
      [
        "rows and files that were to be removed",
        { ...some(cancelled()), records: "removed" },
        [
          "I7 destination row documents 20 is there, and records are removed",
          "I7 file 1 lies in the destination, and records are removed",
        ],
      ],
      [
        "records that are kept by halves, and a file of which nothing is said",
        { ...some(cancelled()), records: "kept" },
        ["I7 documents 10 has not arrived", "I7 file 1 was copied, and nothing says so"],
      ],
      [
        "records of which nobody says what became",
        { ...cancelled(), records: "partial" },
        ["I7 records are neither kept nor removed, but partial"],
      ],
      [
        "what came and belongs to nothing",
        withFinding(withFinding(cancelled(), "stray row"), "stray object"),
        ["I7 a stray row", "I7 a stray object"],
      ],
    ];
    for (const [title, facts, expected] of cases)
      it(`names ${title}`, () => expect(said(facts)).to.deep.equal(expected));
  });

  describe("I8: the API says what was measured", () => {
    it("names counts, states, files and rows that differ", () => {
      const facts = sound();
      const view = {
        ...facts.view!,
        documents: { selected: 2, copied: 2, notFound: 0, failed: 0 },
        stateHistory: facts.view!.stateHistory.slice(1),
        stages: {},
      };

      const found = said({ ...facts, view, documents: [], rows: {} }).map(
        (text) => text.split(" {")[0]!.split(" [")[0],
      );

      expect(found).to.deep.equal([
        "I8 the API says of the states",
        "I8 the API says of the files",
        "I8 the API says of expected files",
        "I8 the API says of the documents",
        "I8 the API says of the rows",
      ]);
    });
  });
});
