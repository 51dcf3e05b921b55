import { hash } from "node:crypto";
import { AnnotationMode } from "pdfjs-dist/legacy/build/pdf.mjs";
import { geometryOf, type PageGeometry, type PDFPageProxy } from "./pdf.ts";
import { Walk, type Glyph, type Outline, type WalkFont } from "./walk.ts";

/** Everything that a page draws with glyphs, in the order of drawing. */
export interface PageGlyphs extends PageGeometry {
  glyphs: Glyph[];
}

/** @param isOn whether optional content is on; without it all of it is taken to be */
export async function readGlyphs(page: PDFPageProxy, isOn?: (properties: unknown) => boolean): Promise<PageGlyphs> {
  const geometry = geometryOf(page);
  const glyphs: Glyph[] = [];
  const list = await page.getOperatorList({ annotationMode: AnnotationMode.ENABLE });
  const about = { fontOf: fontsOf(page), glyph: (glyph: Glyph) => glyphs.push(glyph), ...(isOn && { isOn }) };
  new Walk(geometry.toShown, about).follow(list);
  return { ...geometry, glyphs };
}

/** What pdf.js keeps of a font under its name. */
interface LoadedFont {
  loadedName: string;
  vertical?: boolean;
  isType3Font?: boolean;
  fontMatrix?: ArrayLike<number>;
}
interface LoadedObjects {
  has: (id: string) => boolean;
  get: (id: string) => unknown;
}

/** The fonts of a page whose operators are read, with the outlines of their glyphs. */
export function fontsOf(page: PDFPageProxy): (name: string) => WalkFont | undefined {
  const objects = page.commonObjs as LoadedObjects;
  const known = new Map<string, WalkFont | undefined>();
  return (name) => {
    if (!known.has(name))
      known.set(name, objects.has(name) ? fontOf(objects, objects.get(name) as LoadedFont) : undefined);
    return known.get(name);
  };
}

function fontOf(objects: LoadedObjects, font: LoadedFont): WalkFont {
  const outlines = new Map<string, Outline | undefined>();
  return {
    fontMatrix: font.fontMatrix ?? [0.001, 0, 0, 0.001, 0, 0],
    isVertical: font.vertical === true,
    isType3: font.isType3Font === true,
    outlineOf: (character) => {
      if (!outlines.has(character)) {
        outlines.set(character, outlineOf(objects, `${font.loadedName}_path_${character}`));
      }
      return outlines.get(character);
    },
  };
}

/** The numbers of points that follow the operators of a path: move, line, curve, quadratic curve, close. */
const pointsAfter = [1, 1, 3, 2, 0];

function outlineOf(objects: LoadedObjects, id: string): Outline | undefined {
  if (!objects.has(id)) return undefined;
  const { path } = objects.get(id) as { path: ArrayLike<number> };
  const ink = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (let index = 0; index < path.length;) {
    const points = pointsAfter[path[index++] ?? 4] ?? 0;
    for (let point = 0; point < points; point++) {
      const [x = 0, y = 0] = [path[index++], path[index++]];
      ink.left = Math.min(ink.left, x);
      ink.right = Math.max(ink.right, x);
      ink.top = Math.min(ink.top, y);
      ink.bottom = Math.max(ink.bottom, y);
    }
  }
  if (ink.left > ink.right) return undefined;
  return { ink, shape: hash("sha1", Array.from(path, (value) => value.toFixed(3)).join(" "), "base64").slice(0, 12) };
}
