/** Documents that were made to keep the pre-uploader busy, among others. */
import { expect } from "chai";
import type { PreUploaderMessage } from "../../contracts/messages.ts";
import { createPdfWork } from "../../processors/pre_uploader/pdf-worker/pool.ts";
import type { PdfWork } from "../../processors/pre_uploader/pdf-worker/pool.ts";
import { workerFilesOfSources } from "../../processors/pre_uploader/pdf-worker/worker-files.ts";
import { preUploaderHandler } from "../../processors/pre_uploader/process.ts";
import { openAnnotationBench } from "./annotation_bench.ts";
import type { AnnotationBench } from "./annotation_bench.ts";
import { make, makePdf, textsOf } from "./engine_bench.ts";
import { hostile } from "./pre_uploader/hostile.fixture.ts";
import { drain, failed, sqsEvent, startCloudFirst } from "./support.ts";

const stamp = make.bates("B1", 0, [250, 270, 120, 14], "ABC-0000001");
const redaction = make.redaction("R1", 0, [30, 40, 200, 30]);

describe("a document that was made to keep the pre-uploader busy", function () {
  this.timeout(120_000);
  startCloudFirst();
  let bench: AnnotationBench;
  let pdf: PdfWork;

  beforeEach(async () => {
    bench = await openAnnotationBench();
    pdf = createPdfWork(workerFilesOfSources());
  });
  afterEach(async () => {
    await pdf.close();
    await bench.close();
  });

  const run = (...messages: PreUploaderMessage[]) =>
    preUploaderHandler({ ...bench.to, pdf, maximumPdfBytes: 2 ** 27 })(sqsEvent(...messages.map((body) => ({ body }))));
  const codes = async () =>
    (await drain(bench.aws.sqs, bench.to.feed.deadLetterQueueUrl)).map(
      ({ attributes }) => (JSON.parse(attributes["reason"] ?? "{}") as { code: string }).code,
    );
  const place = async (content: Uint8Array, records = [stamp]) => bench.place(content, [records]);
  const stamped = async ({ file }: PreUploaderMessage) =>
    (await textsOf(await bench.bytes(file.destinationKey))).join();

  const markings = { "with a redaction": [stamp, redaction], "without redactions": [stamp] };
  for (const [what, file] of Object.entries(hostile)) {
    for (const [marked, records] of Object.entries(markings)) {
      it(`is given up by name or sent on, and its neighbours are sent on: ${what}, ${marked}`, async () => {
        // Prepare
        const ordinary = await makePdf([{ lines: ["Ordinary words"] }]);
        const [bomb, neighbour, next] = [
          await place(await file(), records),
          await place(ordinary),
          await place(ordinary),
        ];

        // Act
        const answers = [await run(bomb, neighbour), await run(next)];

        // Assess
        expect(answers).to.deep.equal([failed(), failed()]);
        for (const message of [neighbour, next]) expect(await stamped(message)).to.include("ABC-0000001");
        const [reason = "none"] = await codes();
        const isSent = (await bench.keys(bomb.exchange)).length > 0;
        expect({ reason, isSent }).to.deep.oneOf([
          { reason: "none", isSent: true },
          { reason: "PDF_TOO_COMPLEX", isSent: false },
          { reason: "PDF_UNREADABLE_PART", isSent: false },
          { reason: "PROOF_FAILED", isSent: false },
        ]);
      });
    }
  }
});
