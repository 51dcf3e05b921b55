import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { execa } from "execa";
import { PDFName } from "pdf-lib";
import { globalConfig } from "../../programs/global/config.ts";
import { openAnnotationBench, type AnnotationBench } from "./annotation_bench.ts";
import { boxOfWord, make, makePdf, textsOf } from "./engine_bench.ts";
import type { Work } from "./pre_uploader_child.ts";

const pages = 300;
/** Points of each page's picture, three incompressible bytes each. */
const points = 200;

describe("the memory of the pre-uploader", () => {
  let bench: AnnotationBench;
  before(async () => {
    bench = await openAnnotationBench();
  });
  after(() => bench.close());

  it("stays under what its Lambda is given, for a scan of 300 pages in a file as large as it takes", async function () {
    this.timeout(240_000);
    // Prepare
    const pdf = await scan();
    const box = await boxOfWord(pdf, 0, "Secretword0");
    const marks = Array.from({ length: pages }, (_, page) =>
      make.redaction(`R${page}`, page, [box[0], box[1], box[2] + 15, box[3]]),
    );
    const message = await bench.place(pdf, [marks]);
    const { topicArn, uploaderQueueUrl, deadLetterQueueUrl } = bench.to;
    const work: Work = {
      aws: bench.aws.cloud.client("operator"),
      engine: { url: bench.engine.url, token: bench.engine.token },
      ...{ topicArn, uploaderQueueUrl, deadLetterQueueUrl, message },
      maximumPdfBytes: 150 * 1024 ** 2,
    };

    // Act
    const { stdout } = await execa(process.execPath, [new URL("pre_uploader_child.ts", import.meta.url).pathname], {
      input: JSON.stringify(work),
    });

    // Assess
    const { mebibytes } = JSON.parse(stdout) as { mebibytes: number };
    expect(mebibytes * (150 / (pdf.length / 1024 ** 2))).to.be.below(memoryOfLambda());
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

function memoryOfLambda(): number {
  return globalConfig.shape.processors.parse({}).pre_uploader.memoryMiB;
}
