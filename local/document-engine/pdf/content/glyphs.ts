import { Device, Text, type Font, type Matrix, type PDFPage, type Point, type Rect } from "mupdf";
import { overlap } from "./cut.ts";
import { identity, transformed } from "./matrix.ts";

/** The ink of a glyph on the page as it is shown, and the point that it is drawn from. */
interface Drawn {
  origin: Point;
  ink: Rect;
  isUsed: boolean;
}

const cell = 1;
const neighbours = [-1, 0, 1].flatMap((dx) => [-1, 0, 1].map((dy) => [dx, dy] as const));
/** Further from a box than this many times its size, a glyph does not reach it. */
const reach = 3;
/** Further from a box than this many points, a run of text has no glyph that reaches it. */
const runReach = 12;

/** Where the ink of the glyphs near some boxes is, by the outlines of their fonts. */
export class GlyphInk {
  readonly #cells = new Map<string, Drawn[]>();

  /** Draws the page on a device that only looks at its text. */
  constructor(page: PDFPage, boxes: readonly Rect[]) {
    const take = (text: Text, ctm: Matrix) => {
      if (boxes.some((box) => overlap(boundsOf(text, ctm), box, runReach))) {
        text.walk({
          showGlyph: (font, trm, glyph, unicode, mode) => this.#note(font, trm, glyph, unicode, mode, ctm, boxes),
        });
      }
      text.destroy();
    };
    const device = new Device({
      fillText: (text, ctm) => take(text, ctm),
      strokeText: (text, _stroke, ctm) => take(text, ctm),
      clipText: (text, ctm) => take(text, ctm),
      clipStrokeText: (text, _stroke, ctm) => take(text, ctm),
      ignoreText: (text, ctm) => take(text, ctm),
    });
    try {
      page.runPageContents(device, identity);
      device.close();
    } catch {
      // What the library cannot draw further has the boxes that the fonts' widths give.
    } finally {
      device.destroy();
    }
  }

  #note(
    font: Font,
    trm: Matrix,
    glyph: number,
    unicode: number,
    mode: number,
    ctm: Matrix,
    boxes: readonly Rect[],
  ): void {
    if (glyph < 0) return;
    const origin = transformed([trm[4], trm[5]], ctm);
    const size = Math.max(...trm.slice(0, 4).map(Math.abs)) * Math.max(...ctm.slice(0, 4).map(Math.abs));
    const far = Math.max(size * reach, runReach);
    const area: Rect = [origin[0] - far, origin[1] - far, origin[0] + far, origin[1] + far];
    if (!boxes.some((box) => overlap(area, box))) return;
    const alone = new Text();
    alone.showGlyph(font, trm, glyph, unicode, mode);
    const ink = boundsOf(alone, ctm);
    alone.destroy();
    const key = keyOf(origin, 0, 0);
    const list = this.#cells.get(key);
    const drawn = { origin, ink, isUsed: false };
    if (list) list.push(drawn);
    else this.#cells.set(key, [drawn]);
  }

  /**
   * The ink of a glyph that is drawn from a point; undefined where none is known. Several glyphs that are drawn from one
   * point, as accents are, come in the order in which they are drawn.
   */
  at(origin: Point, tolerance: number): Rect | undefined {
    let nearest: { drawn: Drawn; distance: number } | undefined;
    for (const [dx, dy] of neighbours) {
      for (const drawn of this.#cells.get(keyOf(origin, dx, dy)) ?? []) {
        // A glyph that was asked for already is the second choice.
        const distance =
          Math.hypot(drawn.origin[0] - origin[0], drawn.origin[1] - origin[1]) + (drawn.isUsed ? tolerance : 0);
        const limit = drawn.isUsed ? 2 * tolerance : tolerance;
        if (distance <= limit && distance < (nearest?.distance ?? Infinity)) nearest = { drawn, distance };
      }
    }
    if (!nearest) return undefined;
    nearest.drawn.isUsed = true;
    return nearest.drawn.ink;
  }
}

/** Points that the library adds to each side of a text's bounds, for the sake of its cache of glyphs. */
const margin = 1;

function boundsOf(text: Text, ctm: Matrix): Rect {
  // The library's types demand a stroke, the library does not.
  const [left, top, right, bottom] = text.getBounds(null as never, ctm);
  const hasInk = right - left > 2 * margin && bottom - top > 2 * margin;
  return hasInk ? [left + margin, top + margin, right - margin, bottom - margin] : [left, top, right, bottom];
}

function keyOf([x, y]: Point, dx: number, dy: number): string {
  return `${Math.floor(x / cell) + dx},${Math.floor(y / cell) + dy}`;
}
