/** What a page draws under redactions, object by object, also what is hidden in the page as a whole. */
import { crosses, grown, intersection } from "../pdf/geometry.ts";
import type { Box, Transform } from "../pdf/geometry.ts";
import { boundsOf, pathSegments, readObjects } from "../pdf/objects.ts";
import type { PageObject } from "../pdf/objects.ts";
import { heapOf, withMemory } from "../pdf/pdfium.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import { drawPicture, maskOf, pageArea } from "../pdf/picture.ts";
import type { Picture } from "../pdf/picture.ts";
import { shownTransform } from "../pdf/reader.ts";
import type { Redaction } from "../redaction.ts";
import { redactionFills } from "./fills.ts";
import { hasPixelsUnder } from "./image-pixels.ts";
import { boxResolution, edge } from "./pixels.ts";

/** What is under the boxes by kind, in plural nouns. */
type LeftObjects = Map<string, number>;

/**
 * Looks at each object of a page that is open, alone and made visible, under each box. Allowed are glyphs that other
 * characters account for, the fills of the redactions, and one uniform colour: a wiped image, a background.
 *
 * Changes the page in memory: nothing else may be read from it afterwards.
 *
 * @param accounted boxes of the characters of the page, none of which is hidden by a redaction any more
 */
export function objectsUnder(
  pdfium: Pdfium,
  page: number,
  redactions: readonly Redaction[],
  accounted: readonly Box[],
): LeftObjects {
  const all = readObjects(pdfium, page);
  for (const object of all) {
    makeVisible(pdfium, object);
    pdfium.FPDFPageObj_SetIsActive(object.handle, false);
  }
  const boxes = redactions.flatMap((redaction) => redaction.boxes);
  const fills = redactionFills(pdfium, page, all, redactions);
  const objects = all.filter((object) => !fills.has(object));
  const left: LeftObjects = new Map();
  const seen = new Set<PageObject>();
  const shown = pageArea(pdfium, page);
  for (const box of boxes) {
    const area = intersection(box, shown);
    if (!area) continue;
    const look = new Look(pdfium, page, area, boxes, accounted);
    for (const object of look.objectsIn(objects)) {
      if (seen.has(object)) continue;
      seen.add(object);
      const kind = nouns[object.kind];
      left.set(kind, (left.get(kind) ?? 0) + 1);
    }
  }
  return left;
}

const nouns = { text: "glyphs", path: "paths", image: "images", shading: "shadings", unknown: "objects" } as const;

const [fillMode, opaque] = [0, 255];

/** Invisible text, and what is transparent or mixed with what is below, is drawn. */
function makeVisible(pdfium: Pdfium, { handle, kind }: PageObject): void {
  if (kind === "text") pdfium.FPDFTextObj_SetTextRenderMode(handle, fillMode);
  pdfium.FPDFPageObj_SetBlendMode(handle, "Normal");
  withMemory(pdfium, 16, (address) => {
    const colour = () => Array.from(new Uint32Array(heapOf(pdfium).buffer, address, 3)) as [number, number, number];
    const part = [address, address + 4, address + 8, address + 12] as const;
    const isTransparent = () => (new Uint32Array(heapOf(pdfium).buffer, address, 4)[3] ?? opaque) < opaque;
    // A colour that is opaque may be a pattern, which a colour of ours would replace.
    if (pdfium.FPDFPageObj_GetFillColor(handle, ...part) && isTransparent()) {
      pdfium.FPDFPageObj_SetFillColor(handle, ...colour(), opaque);
    }
    if (pdfium.FPDFPageObj_GetStrokeColor(handle, ...part) && isTransparent()) {
      pdfium.FPDFPageObj_SetStrokeColor(handle, ...colour(), opaque);
    }
  });
}

/** Ink with less alpha than this is smoothing. */
const faintest = 24;
/** Channels of one colour differ by less: rounding, and repacking of images. */
const sameColour = 24;
/** Pixels of ink that are no part of a glyph: smoothing at the corners of accounted boxes. */
const fewestPixels = 3;

/** One box of a page all of whose objects are inactive. */
class Look {
  readonly #pdfium: Pdfium;
  readonly #page: number;
  readonly #box: Box;
  readonly #boxes: readonly Box[];
  readonly #inner: Box;
  readonly #accounted: readonly Box[];
  readonly #shown: Transform;
  #looked: readonly number[] | undefined;

  constructor(pdfium: Pdfium, page: number, box: Box, boxes: readonly Box[], accounted: readonly Box[]) {
    this.#pdfium = pdfium;
    this.#page = page;
    this.#box = box;
    this.#boxes = boxes;
    this.#inner = grown(box, -edge);
    this.#accounted = accounted.filter((one) => intersection(grown(one, edge), box));
    this.#shown = shownTransform(pdfium, page);
  }

  /** The objects that leave something there. */
  objectsIn(objects: readonly PageObject[]): PageObject[] {
    const hidden = new Set(objects.filter((object) => this.#isHiddenUnder(object)));
    return [...hidden, ...this.#drawnOf(objects.filter((object) => !hidden.has(object)))];
  }

  /** Groups without ink need not be looked at one by one. */
  #drawnOf(objects: readonly PageObject[]): PageObject[] {
    const [only] = objects;
    if (only === undefined || !this.#hasInk(objects)) return [];
    if (objects.length === 1) return [only];
    const middle = Math.ceil(objects.length / 2);
    return [...this.#drawnOf(objects.slice(0, middle)), ...this.#drawnOf(objects.slice(middle))];
  }

  #hasInk(objects: readonly PageObject[]): boolean {
    for (const { handle } of objects) this.#pdfium.FPDFPageObj_SetIsActive(handle, true);
    const scale = boxResolution;
    const picture = drawPicture(this.#pdfium, this.#page, { area: this.#box, scale, isOnPaper: false });
    for (const { handle } of objects) this.#pdfium.FPDFPageObj_SetIsActive(handle, false);
    // All pictures of a box have the same size.
    const looked = (this.#looked ??= this.#lookedAt(picture));
    const [only, another] = objects;
    const ink: number[] = [];
    for (const at of looked) {
      if ((picture.pixels[4 * at + 3] ?? 0) < faintest) continue;
      ink.push(at);
      if (another !== undefined && ink.length > fewestPixels) return true;
    }
    if (ink.length <= fewestPixels) return false;
    return only === undefined || !this.#isUniform(only, picture, looked, ink);
  }

  /** The pixels well within the box that no character accounts for. */
  #lookedAt(picture: Picture): number[] {
    const inside = maskOf(picture, [this.#inner]);
    const accounted = maskOf(picture, this.#accounted, edge);
    const looked: number[] = [];
    for (let at = 0; at < inside.length; at++) if (inside[at] === 1 && accounted[at] === 0) looked.push(at);
    return looked;
  }

  /** Whether ink has one colour and fills a rectangle that says nothing: a background, a wiped image, a redaction. */
  #isUniform({ kind }: PageObject, picture: Picture, looked: readonly number[], ink: readonly number[]): boolean {
    if (!isOneColour(picture, ink)) return false;
    const bounds = boundsOfPixels(picture, ink);
    const within = looked.filter((at) => isInBounds(picture, at, bounds));
    if (within.length > ink.length + fewestPixels) return false;
    const all = boundsOfPixels(picture, looked);
    const sides = (["left", "top", "right", "bottom"] as const).filter((side) => bounds[side] === all[side]);
    return kind === "image" || sides.length >= 2 || this.#boxes.some((box) => isAbout(picture, bounds, box));
  }

  /** What no drawing shows: lines of paths that are clipped away, pixels of images behind their masks. */
  #isHiddenUnder(object: PageObject): boolean {
    const { handle, kind, matrix } = object;
    if (kind !== "image" && kind !== "path") return false;
    const bounds = boundsOf(this.#pdfium, object, this.#shown);
    if (bounds && !intersection(bounds, this.#inner)) return false;
    if (kind === "image") return hasPixelsUnder(this.#pdfium, handle, matrix, this.#shown, this.#inner);
    return pathSegments(this.#pdfium, object, this.#shown).some((segment) => crosses(...segment, this.#inner));
  }
}

function isOneColour({ pixels }: Picture, ink: readonly number[]): boolean {
  return [0, 1, 2, 3].every((channel) => {
    let [low, high] = [255, 0];
    for (const at of ink) {
      const value = pixels[4 * at + channel] ?? 0;
      [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
    return high - low <= sameColour;
  });
}

/** The pixels at the sides of a set of pixels. */
function boundsOfPixels({ width }: Picture, pixels: readonly number[]): Box {
  const bounds = { left: Infinity, top: Infinity, right: -1, bottom: -1 };
  for (const at of pixels) {
    const [x, y] = [at % width, Math.floor(at / width)];
    bounds.left = Math.min(bounds.left, x);
    bounds.right = Math.max(bounds.right, x);
    bounds.top = Math.min(bounds.top, y);
    bounds.bottom = Math.max(bounds.bottom, y);
  }
  return bounds;
}

function isInBounds({ width }: Picture, at: number, { left, top, right, bottom }: Box): boolean {
  const [x, y] = [at % width, Math.floor(at / width)];
  return x >= left && x <= right && y >= top && y <= bottom;
}

/** Whether pixels fill what a box covers of a picture. */
function isAbout({ area, scale }: Picture, pixels: Box, box: Box): boolean {
  const part = intersection(box, grown(area, -edge));
  if (!part) return false;
  const near = (pixel: number, edgeOfBox: number, start: number) =>
    Math.abs(pixel / scale + start - edgeOfBox) <= 2 * edge;
  return (
    near(pixels.left, part.left, area.left) &&
    near(pixels.right, part.right, area.left) &&
    near(pixels.top, part.top, area.top) &&
    near(pixels.bottom, part.bottom, area.top)
  );
}
