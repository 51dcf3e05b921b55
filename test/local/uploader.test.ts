import { appendFile } from "node:fs/promises";
import { expect } from "chai";
import { execa } from "execa";
import { makePdf } from "../../local/samples/content/pdf.ts";
import { sharedCloud } from "../support/cloud.ts";
import { moment, until, uploaderKit } from "./uploader-kit.ts";

const entry = new URL("../../local/uploader/main.ts", import.meta.url).pathname;

describe("the uploader's stand-in", function () {
  this.timeout(40_000);
  let kit: Awaited<ReturnType<typeof uploaderKit>>;
  let pdf: Buffer;

  before(async () => {
    kit = await uploaderKit(await sharedCloud());
    pdf = await makePdf({ title: "t", author: "a", pages: ["one", "two", "three"], created: moment, unicode: false });
  });
  afterEach(() => kit.stopUploaders());
  after(() => kit.close());

  it("loads the PDFs of the queue that it is told of and publishes each with its number of pages", async () => {
    // Prepare
    const { exchange, command, file, announce, emptied } = await kit.exchange();
    await kit.start({ journalFile: kit.journalFile(exchange.exchangeId) });

    // Act
    await command("consume");
    await announce(await file(pdf));

    // Assess
    const { exchangeId, ...cases } = exchange;
    expect(await kit.events(exchangeId, 1)).to.deep.equal([
      {
        eventId: `${exchangeId}:upload:1:done`,
        source: "documentuploader",
        eventType: "DOCUMENT_UPLOADED",
        status: "SUCCESS",
        jobId: exchangeId,
        ...cases,
        documentId: "101",
        exhibitIds: ["301"],
        timestamp: moment.toISOString(),
        detail: { fileId: "1", role: "document", destinationDocumentId: "201", pages: 3 },
      },
    ]);
    await emptied();
  });

  it("publishes an error for what is damaged, no PDF, or not there, and takes the rest of the batch in", async () => {
    // Prepare
    const { exchange, command, file, announce, emptied } = await kit.exchange();
    await kit.start({ journalFile: kit.journalFile(exchange.exchangeId) });
    const files = [pdf.subarray(0, pdf.length / 2), Buffer.from("plain text"), undefined, Buffer.alloc(0), pdf];
    for (const content of files) await announce(await file(content));

    // Act
    await command("consume");

    // Assess
    const outcomes = (await kit.events(exchange.exchangeId, 5)).map(({ eventId, status, detail }) => ({
      unit: eventId.slice(exchange.exchangeId.length),
      status,
      code: (detail["error"] as { code: string } | undefined)?.code,
    }));
    expect(outcomes).to.deep.equal([
      { unit: ":upload:1:failed", status: "ERROR", code: "DAMAGED_PDF" },
      { unit: ":upload:2:failed", status: "ERROR", code: "NOT_A_PDF" },
      { unit: ":upload:3:failed", status: "ERROR", code: "OBJECT_NOT_READABLE" },
      { unit: ":upload:4:failed", status: "ERROR", code: "NOT_A_PDF" },
      { unit: ":upload:5:done", status: "SUCCESS", code: undefined },
    ]);
    await emptied();
  });

  it("loads a document once however often its message comes, and says the same of it each time", async () => {
    // Prepare
    const { exchange, command, file, announce } = await kit.exchange();
    const loaded: string[] = [];
    const load = (message: { fileId: string }) => {
      loaded.push(message.fileId);
      return Promise.resolve({ pages: 1 });
    };
    await kit.start({ journalFile: kit.journalFile(exchange.exchangeId), load });
    const message = await file(pdf);

    // Act
    await command("consume");
    await Promise.all([announce(message), announce(message), announce(message)]);

    // Assess
    const [first, ...others] = await kit.events(exchange.exchangeId, 3);
    expect(others).to.deep.equal([first, first]);
    expect(loaded).to.deep.equal(["1"]);
  });

  it("tries a document again that failed in passing, while the others of its batch are done", async () => {
    // Prepare
    const { exchange, command, file, announce, emptied } = await kit.exchange();
    const attempts: string[] = [];
    const load = (message: { fileId: string }) => {
      attempts.push(message.fileId);
      const fails = message.fileId === "2" && attempts.filter((fileId) => fileId === "2").length < 3;
      return fails ? Promise.reject(new Error("busy")) : Promise.resolve({ pages: 1 });
    };
    await kit.start({ journalFile: kit.journalFile(exchange.exchangeId), load });
    for (const content of [pdf, pdf, pdf]) await announce(await file(content));

    // Act
    await command("consume");

    // Assess
    const events = await kit.events(exchange.exchangeId, 3);
    expect(events.map(({ status }) => status)).to.deep.equal(["SUCCESS", "SUCCESS", "SUCCESS"]);
    expect(attempts.sort()).to.deep.equal(["1", "2", "2", "2", "3"]);
    await emptied();
  });

  it("refuses and delays and fails as it is told to", async () => {
    // Prepare
    const { exchange, command, file, announce } = await kit.exchange();
    const faults = { refuse: ({ fileId }: { fileId: string }) => fileId === "1", failTimes: 1, delay: 1 };
    await kit.start({ journalFile: kit.journalFile(exchange.exchangeId), faults });
    for (const content of [pdf, pdf]) await announce(await file(content));

    // Act
    await command("consume");

    // Assess
    const events = await kit.events(exchange.exchangeId, 2);
    expect(events.map(({ status, detail }) => [status, detail["error"]])).to.deep.equal([
      ["ERROR", { code: "REFUSED", message: "file 1 is refused, as asked by the configured faults" }],
      ["SUCCESS", undefined],
    ]);
  });

  it("consumes a queue once for a command that comes twice, and lets go of it once", async () => {
    // Prepare
    const { exchange, command, file, announce } = await kit.exchange();
    const uploader = await kit.start({ journalFile: kit.journalFile(exchange.exchangeId) });

    // Act
    await Promise.all([command("consume"), command("consume")]);
    await announce(await file(pdf));
    await kit.events(exchange.exchangeId, 1);
    const whileConsuming = uploader.consuming();
    await Promise.all([command("release"), command("release")]);
    await until(() => !uploader.consuming().length);

    // Assess
    expect(whileConsuming).to.deep.equal([exchange.exchangeId]);
  });

  it("goes on after a restart where it stopped, even if a kill cut its journal short", async () => {
    // Prepare
    const { exchange, command, file, announce } = await kit.exchange();
    const journalFile = kit.journalFile(exchange.exchangeId);
    const message = await file(pdf);
    await kit.start({ journalFile });
    await command("consume");
    await announce(message);
    const [before] = await kit.events(exchange.exchangeId, 1);
    await kit.stopUploaders();
    await appendFile(journalFile, '{"kind":"document","exchangeId":"');
    const loaded: string[] = [];
    const load = (again: { fileId: string }) => {
      loaded.push(again.fileId);
      return Promise.resolve({ pages: 1 });
    };

    // Act
    const uploader = await kit.start({ journalFile, load, clock: () => new Date(0) });
    await announce(message);
    await announce(await file(pdf));

    // Assess
    expect(uploader.consuming()).to.deep.equal([exchange.exchangeId]);
    const [again, other] = await kit.events(exchange.exchangeId, 2);
    expect(again).to.deep.equal(before);
    expect(other?.detail["fileId"]).to.equal("2");
    expect(loaded).to.deep.equal(["2"]);
  });

  it("lets go of a queue that is gone, for good", async () => {
    // Prepare
    const { exchange, command, removeQueue } = await kit.exchange();
    const journalFile = kit.journalFile(exchange.exchangeId);
    const uploader = await kit.start({ journalFile });
    await command("consume");
    await until(() => uploader.consuming().length === 1);

    // Act
    await removeQueue();
    await until(() => !uploader.consuming().length);
    await kit.stopUploaders();

    // Assess
    const restarted = await kit.start({ journalFile });
    expect(restarted.consuming()).to.deep.equal([]);
  });

  it("leaves messages alone that it cannot read, and does the others", async () => {
    // Prepare
    const { exchange, command, file, announce } = await kit.exchange();
    await kit.start({ journalFile: kit.journalFile(exchange.exchangeId) });
    await announce({ kind: "something else" });
    await announce(await file(pdf));

    // Act
    await command("consume");

    // Assess
    const events = await kit.events(exchange.exchangeId, 1);
    expect(events.map(({ status }) => status)).to.deep.equal(["SUCCESS"]);
  });

  it("runs as a process of its own, and a signal ends it", async () => {
    // Prepare
    const cloud = await sharedCloud();
    const { exchange, command, file, announce } = await kit.exchange();
    const env = {
      ...cloud.env("uploader"),
      UPLOADER_COMMAND_QUEUE_URL: cloud.uploader.queueUrl,
      UPLOADER_JOURNAL_FILE: kit.journalFile(exchange.exchangeId),
      UPLOADER_FAULTS: JSON.stringify({ refuse: ["2"] }),
    };
    const uploader = execa(process.execPath, [entry], { env, reject: false });
    for (const content of [pdf, pdf]) await announce(await file(content));

    // Act
    await command("consume");
    const events = await kit.events(exchange.exchangeId, 2);
    uploader.kill("SIGTERM");
    const { exitCode, stderr } = await uploader;

    // Assess
    expect(events.map(({ status }) => status)).to.deep.equal(["SUCCESS", "ERROR"]);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
  });

  it("says as a process which variable is missing", async () => {
    // Act
    const env = { PATH: process.env["PATH"], UPLOADER_JOURNAL_FILE: "journal" };
    const { exitCode, stderr } = await execa(process.execPath, [entry], { env, extendEnv: false, reject: false });

    // Assess
    expect(exitCode).to.equal(1);
    expect(stderr).to.include("UPLOADER_COMMAND_QUEUE_URL");
  });
});
