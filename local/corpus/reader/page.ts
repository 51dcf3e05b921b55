import { hash } from "node:crypto";
import { AnnotationMode, OPS } from "pdfjs-dist/legacy/build/pdf.mjs";
import { geometryOf, type PageGeometry, type PDFPageProxy } from "./pdf.ts";
import { applyToBox, identity, multiply, union, type Box, type Matrix } from "./matrix.ts";
import { Walk, type Glyph, type OperatorList, type Outline, type WalkFont } from "./walk.ts";

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
  /** As the file has it. */
  name?: string;
  missingFile?: boolean;
  vertical?: boolean;
  isType3Font?: boolean;
  fontMatrix?: ArrayLike<number>;
  charProcOperatorList?: ReadonlyMap<unknown, OperatorList>;
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

/**
 * The families that pdf.js has outlines for where a file has none: it does not say which it draws. Names of parts of
 * fonts, which are embedded, begin otherwise: `ABCDEF+Arial`.
 */
const substituted =
  /^(?:Arial|Calibri|CenturyGothic|ComicSans|Courier|GillSans|Helvetica|Impact|ItcSymbol|Lucida|MS|NuptialScript|SegoeUISymbol|Symbol|Times|Trebuchet|Wingdings|ZapfDingbats)/i;

function fontOf(objects: LoadedObjects, font: LoadedFont): WalkFont {
  const outlines = new Map<unknown, Outline | undefined>();
  const fontMatrix = font.fontMatrix ?? [0.001, 0, 0, 0.001, 0, 0];
  const procedures = font.isType3Font ? (font.charProcOperatorList ?? new Map<unknown, OperatorList>()) : undefined;
  return {
    fontMatrix,
    isVertical: font.vertical === true,
    isSubstitute: font.isType3Font !== true && (font.missingFile === true || substituted.test(font.name ?? "")),
    outlineOf: ({ fontChar, operatorListId }) => {
      const key = procedures ? operatorListId : fontChar;
      if (!outlines.has(key)) {
        const outline = procedures
          ? outlineOfProcedure(procedures.get(key), multiply(identity, fontMatrix))
          : outlineOf(objects, `${font.loadedName}_path_${fontChar}`);
        outlines.set(key, outline);
      }
      return outlines.get(key);
    },
  };
}

const images: ReadonlySet<number> = new Set([
  OPS.paintImageXObject,
  OPS.paintImageMaskXObject,
  OPS.paintInlineImageXObject,
  OPS.paintSolidColorImageMask,
]);

/** What the operators of a glyph paint: paths and images; pdf.js makes small stencils paths of their own kind. */
function outlineOfProcedure(list: OperatorList | undefined, fontMatrix: Matrix): Outline {
  const inks: Box[] = [];
  const stack: Matrix[] = [];
  let matrix = fontMatrix;
  for (const [index, operator] of (list?.fnArray ?? []).entries()) {
    const args = (list?.argsArray[index] ?? []) as readonly unknown[];
    if (operator === OPS.save) stack.push(matrix);
    else if (operator === OPS.restore) matrix = stack.pop() ?? matrix;
    else if (operator === OPS.transform) matrix = multiply(matrix, args as number[]);
    else if (images.has(operator) || (operator === OPS.constructPath && args[0] === OPS.rawFillPath))
      inks.push(applyToBox(matrix, 0, 0, 1, 1));
    else if (operator === OPS.constructPath && args[2]) {
      const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = Array.from(args[2] as ArrayLike<number>);
      inks.push(applyToBox(matrix, x0, y0, x1, y1));
    }
  }
  const ink = inks.length > 0 ? union(inks) : { left: 0, top: 0, right: 0, bottom: 0 };
  return { ink, shape: "" };
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
  let shape: string | undefined;
  return {
    ink,
    // Found out only when somebody compares shapes.
    get shape() {
      return (shape ??= hash("sha1", Array.from(path, (value) => value.toFixed(3)).join(" "), "base64").slice(0, 12));
    },
  };
}
