import { expect } from "chai";
import { pictureOf, type Picture } from "../../local/check/independent-pdf.ts";
import { annotation, engineKit, type EngineKit } from "./document-engine-kit.ts";
import { rawPdf, type RawPdf } from "./document-engine-raw-pdf.ts";
import { contentsOfAll } from "./document-engine-streams.ts";

type Box = [number, number, number, number];

describe("what the stand-in of Document Engine takes out of paths under a redaction", function () {
  this.timeout(20_000);
  let kit: EngineKit;

  before(async () => {
    kit = await engineKit();
  });
  after(() => kit.close());

  const redacted = (pdf: RawPdf, ...boxes: Box[]) =>
    kit.work(rawPdf(pdf), [annotation.redaction(boxes)], { type: "applyRedactions" });
  const page = (contents: string): RawPdf => ({ pages: [{ contents }] });

  it("is what is under the box, for fills and for lines, and the rest looks as it did", async () => {
    // Prepare
    const contents = [
      "1 0 0 rg 60 600 200 100 re f",
      "0 0 1 rg 300 600 m 400 700 l 500 600 l h 350 620 m 400 660 l 450 620 l h f*",
      "0 1 0 RG 4 w 60 500 m 260 500 l S",
      "q 0.5 0 0 0.5 300 450 cm 0 0 m 100 200 l 200 200 l 300 0 l S Q",
      "[10 5] 0 d 60 400 m 260 400 l S",
    ].join("\n");
    const boxes: Box[] = [
      [100, 180, 50, 30],
      [380, 160, 60, 40],
      [120, 330, 60, 20],
      [360, 330, 40, 40],
      [120, 432, 60, 20],
    ];

    // Act
    const before = await pictureOf(rawPdf(page(contents)), 0);
    const bytes = await redacted(page(contents), ...boxes);
    const after = await pictureOf(bytes, 0);

    // Assess
    const around: Box[] = boxes.flatMap(([left, top, width, height]): Box[] => [
      [left - 40, top - 20, 38, height + 40],
      [left + width + 2, top - 20, 38, height + 40],
      [left - 40, top - 22, width + 80, 20],
    ]);
    // A line that is cut is drawn a shade lighter or darker in places.
    expect(around.filter((area) => contrast(before, after, area) > 16)).to.deep.equal([]);
    const points = pointsOf(await contentsOfAll(bytes));
    const isUnder = ([x, y]: [number, number]) => x > 101 && x < 149 && y > 842 - 209 && y < 842 - 181;
    expect(points.filter(isUnder)).to.deep.equal([]);
  });

  it("leaves colours that are set while a path is built, and paths that clip", async () => {
    // Prepare
    const contents = "60 600 200 100 re 1 0 0 rg W f 0 0 1 rg 60 600 400 20 re f";

    // Act
    const bytes = await redacted(page(contents), [100, 150, 50, 60]);

    // Assess
    const { pixels, width } = await pictureOf(bytes, 0);
    const colour = (x: number, y: number) => [...pixels.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)];
    expect([colour(80, 160), colour(120, 170), colour(80, 230), colour(300, 230)]).to.deep.equal([
      [255, 0, 0],
      [0, 0, 0],
      [0, 0, 255],
      [255, 255, 255],
    ]);
  });

  for (const [what, contents, kept] of [
    ["an open path", "60 500 m 120 500 l S", [60, 500]],
    ["a closed path of two points", "60 500 m 120 500 l s", [60, 500]],
    ["a closed path with a corner there", "60 500 m 120 500 l 60 560 l s", [60, 560]],
    ["an open path with both ends there", "120 500 m 60 500 l 60 540 l 120 505 l S", [60, 540]],
  ] as const) {
    it(`is the line of ${what} whose end lies under the box`, async () => {
      // Act
      const points = pointsOf(withoutClips(await contentsOfAll(await redacted(page(contents), [100, 322, 50, 30]))));

      // Assess
      const isUnder = ([x, y]: [number, number]) => x > 101 && x < 149 && y > 491 && y < 519;
      expect(points.filter(isUnder)).to.deep.equal([]);
      expect(points).to.deep.include([...kept]);
    });
  }
});

/** The largest difference of a colour between two pictures of a page within an area. */
function contrast(one: Picture, other: Picture, [left, top, width, height]: Box): number {
  let largest = 0;
  for (let y = top; y < top + height; y++) {
    for (let at = (y * one.width + left) * 4; at < (y * one.width + left + width) * 4; at++) {
      largest = Math.max(largest, Math.abs(Number(one.pixels[at]) - Number(other.pixels[at])));
    }
  }
  return largest;
}

/** The points between which operations draw. */
function pointsOf(contents: string): [number, number][] {
  return [...contents.matchAll(/(-?[\d.]+) (-?[\d.]+) [ml]\b/g)].map(([, x, y]) => [Number(x), Number(y)]);
}

/** The operations without the paths that only clip. */
function withoutClips(contents: string): string {
  return contents.replaceAll(/(?:[-\d. ]+ [ml]\n|h\n)+W\* n/g, "");
}
