import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { execa } from "execa";
import { PDFName } from "@cantoo/pdf-lib";
import type { PreUploaderMessage } from "../../contracts/messages.ts";
import { globalConfig } from "../../programs/global/config.ts";
import { openAnnotationBench, type AnnotationBench } from "./annotation_bench.ts";
import { boxOfWord, make, makePdf, textsOf } from "./engine_bench.ts";
import type { Work } from "./pre_uploader_child.ts";

const pages = 300;
/** Points of each page's picture, three incompressible bytes each. */
const points = 200;
/** Mebibytes of the largest PDF that the Lambda takes unless it is told otherwise. */
const largestPdf = 128;

describe("the memory of the pre-uploader", () => {
  let bench: AnnotationBench;
  before(async () => {
    bench = await openAnnotationBench();
  });
  after(() => bench.close());

  /** What a process needs at most that makes one document. */
  async function mebibytesFor(message: PreUploaderMessage): Promise<number> {
    const { topicArn, uploaderQueueUrl, feed } = bench.to;
    const work: Work = {
      aws: bench.aws.cloud.client("operator"),
      engine: { url: bench.engine.url, token: bench.engine.token },
      ...{ topicArn, uploaderQueueUrl, feed, message },
      maximumPdfBytes: largestPdf * 1024 ** 2,
    };
    const { stdout } = await execa(process.execPath, [new URL("pre_uploader_child.ts", import.meta.url).pathname], {
      input: JSON.stringify(work),
    });
    return (JSON.parse(stdout) as { mebibytes: number }).mebibytes;
  }

  it("stays under what its Lambda is given, by what a scan of 300 pages takes for each of its bytes", async function () {
    this.timeout(240_000);
    // Prepare
    const [small, pdf] = [await makePdf([{ lines: ["Secretword0 here"] }]), await scan()];
    const box = await boxOfWord(pdf, 0, "Secretword0");
    const mark = (page: number) => make.redaction(`R${page}`, page, [box[0], box[1], box[2] + 15, box[3]]);
    const message = await bench.place(pdf, [Array.from({ length: pages }, (_, page) => mark(page))]);

    // Act
    const least = await mebibytesFor(await bench.place(small, [[mark(0)]]));
    const all = await mebibytesFor(message);

    // Assess
    const { memoryMiB, batchSize } = globalConfig.shape.processors.parse({}).pre_uploader;
    const ofEachByte = (all - least) / (pdf.length / 1024 ** 2);
    expect(least + batchSize * largestPdf * ofEachByte).to.be.below(memoryMiB);
    expect((await textsOf(await bench.bytes(message.file.destinationKey))).join()).not.to.include("Secretword");
  });
});

/** Pages with a picture each, as a scanner makes them. */
function scan(): Promise<Uint8Array> {
  const lines = Array.from({ length: pages }, (_, page) => ({ lines: [`Secretword${page} here`] }));
  return makePdf(lines, (made) => {
    for (const page of made.getPages()) {
      const picture = made.context.stream(randomBytes(points * points * 3), {
        ...{ Type: "XObject", Subtype: "Image", Width: points, Height: points },
        ...{ ColorSpace: "DeviceRGB", BitsPerComponent: 8 },
      });
      page.node.setXObject(PDFName.of("Scan"), made.context.register(picture));
    }
  });
}
