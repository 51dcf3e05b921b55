import { expect } from "chai";
import fc from "fast-check";
import type { EngineRecord } from "../../contracts/annotations.ts";
import { PermanentError } from "../../contracts/errors.ts";
import { judge } from "../../local/corpus/judge/judge.ts";
import { redactionsIn } from "../../local/corpus/records.ts";
import { readGlyphs } from "../../local/corpus/reader/page.ts";
import { withPdf } from "../../local/corpus/reader/pdf.ts";
import { spacedText } from "../../local/corpus/reader/words.ts";
import { makePng } from "../../local/samples/content/natives.ts";
import { brand } from "../../processors/pre_uploader/brand.ts";
import { sortAnnotations } from "../../processors/pre_uploader/sort.ts";
import { allBranded } from "./annotation_bench.ts";
import { openEngine, pdfWork } from "./engine_bench.ts";
import type { EngineBench } from "./engine_bench.ts";
import { drawScene, imageId, recordOf, scene } from "./pre_uploader_scenes.ts";
import type { Rect, Scene, SceneWord } from "./pre_uploader_scenes.ts";

/** As many as run in a few seconds; `EXCHANGER_PROPERTY_RUNS=100000` for a long run, `EXCHANGER_PROPERTY_SEED` for another one. */
const runs = Number(process.env["EXCHANGER_PROPERTY_RUNS"] ?? 40);
const seed = Number(process.env["EXCHANGER_PROPERTY_SEED"] ?? 20_261_129);
const secondsPerRun = 2;
/** A box smaller than a letter may leave the proof in doubt: then a document is refused, which leaks nothing. */
const mostRefused = 0.02;

describe("making annotations part of pages, on random documents", () => {
  let bench: EngineBench;
  before(async () => {
    bench = await openEngine();
  });
  after(() => bench.stop());

  it("leaves nothing under a redaction, and everything that none touches, as another library reads it", async function () {
    this.timeout(60_000 + runs * secondsPerRun * 1000);
    const deps = { engine: bench.engine, pdf: await pdfWork() };
    const attachments = new Map([[imageId, { content: makePng(4, 4, [1, 2, 3]), contentType: "image/png" }]]);
    const started = performance.now();
    const counts = { cases: 0, refused: new Map<string, number>() };
    await fc.assert(
      fc.asyncProperty(scene, async (one) => {
        // Prepare
        const { pdf, words } = await drawScene(one);
        const records = one.marks.map((mark, index) => recordOf(mark, index, one.pages[mark.page]!));
        const redactions = redactionsIn(records);
        const { hidden, open } = fates(
          words,
          redactions.map(({ pageIndex, boxes }) => ({ pageIndex, boxes: boxes.map(rectOf) })),
        );
        const brandings = [0, 1].map((exhibit) => ({
          engineDocumentId: `document_1_b_2_${exhibit}`,
          branded: brandedOf(one, records, exhibit),
          attachments,
        }));

        // Act
        const produced = await brand(deps, pdf, brandings).catch(refusal);
        report(++counts.cases, started, counts.refused);

        // Assess
        if (typeof produced === "string") {
          counts.refused.set(produced, (counts.refused.get(produced) ?? 0) + 1);
          return;
        }
        const findings = await judge(produced.pdf, [], {
          ...{ redactions, texts: hidden, shapes: [], thoroughness: "everything", pages: one.pages.length },
        });
        expect(findings.map(({ where, what }) => `${where}: ${what}`)).to.deep.equal([]);
        const texts = await textsOf(produced.pdf);
        const lost = open.filter(({ word, pageIndex }) => !texts[pageIndex]?.includes(word)).map(({ word }) => word);
        expect(lost, "lost in the open").to.deep.equal([]);
      }),
      { numRuns: runs, seed },
    );
    const refused = [...counts.refused.values()].reduce((sum, count) => sum + count, 0);
    expect(refused / counts.cases, JSON.stringify([...counts.refused])).to.be.at.most(mostRefused);
  });
});

/** The annotations of one exhibit that become part of the pages; redactions of the other one take what they touch as well. */
function brandedOf({ marks }: Scene, records: readonly EngineRecord[], exhibit: number) {
  const own = records.filter((_, index) => marks[index]?.exhibit === exhibit);
  return sortAnnotations(own, allBranded).branded;
}

/** What nobody may read any more, and what everybody must. */
function fates(words: readonly SceneWord[], redactions: readonly { pageIndex: number; boxes: Rect[] }[]) {
  const rectsOn = (pageIndex: number) =>
    redactions.filter((one) => one.pageIndex === pageIndex).flatMap(({ boxes }) => boxes);
  const isCovered = ({ pageIndex, box, isField }: SceneWord) =>
    rectsOn(pageIndex).some((rect) => (isField ? isNear(rect, box, -1) : covers(rect, box)));
  const open = words.filter(({ pageIndex, box }) => !rectsOn(pageIndex).some((rect) => isNear(rect, box, 4)));
  const everywhere = words.filter(
    (word) => isCovered(word) && words.every((other) => other.word !== word.word || isCovered(other)),
  );
  return { hidden: everywhere.map(({ word }) => word), open };
}

function covers([left, top, width, height]: Rect, [l, t, w, h]: Rect): boolean {
  return l >= left && t >= top && l + w <= left + width && t + h <= top + height;
}

/** Whether two boxes come within a few points of each other: glyphs are not exactly where their boxes are. */
function isNear([left, top, width, height]: Rect, [l, t, w, h]: Rect, gap: number): boolean {
  return l < left + width + gap && left < l + w + gap && t < top + height + gap && top < t + h + gap;
}

function rectOf({ left, top, right, bottom }: { left: number; top: number; right: number; bottom: number }): Rect {
  return [left, top, right - left, bottom - top];
}

function textsOf(pdf: Uint8Array): Promise<string[]> {
  return withPdf(pdf, async (document) => {
    const texts: string[] = [];
    for (let number = 1; number <= document.numPages; number++) {
      texts.push(spacedText((await readGlyphs(await document.getPage(number))).glyphs));
    }
    return texts;
  });
}

/** What a document is refused for, without numbers. */
function refusal(error: unknown): string {
  if (error instanceof PermanentError) return `${error.code}: ${error.message.replaceAll(/\d+/g, "N")}`;
  throw error;
}

function report(cases: number, started: number, refused: ReadonlyMap<string, number>): void {
  if (cases % 500 !== 0 && cases !== runs) return;
  const perSecond = cases / ((performance.now() - started) / 1000);
  const reasons = JSON.stringify([...refused]);
  process.stderr.write(
    `    ${cases} of ${runs} random documents, ${perSecond.toFixed(1)} a second, refused: ${reasons}\n`,
  );
}
