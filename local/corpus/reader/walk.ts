import { OPS } from "pdfjs-dist/legacy/build/pdf.mjs";
import { applyToBox, apply, identity, multiply, type Box, type Matrix } from "./matrix.ts";

/** A font as far as the places of its glyphs depend on it. */
export interface WalkFont {
  fontMatrix: ArrayLike<number>;
  isVertical: boolean;
  /** Whether its outlines may be those of another font, for the file has none of its own. */
  isSubstitute: boolean;
  /** Undefined where the font draws nothing for a glyph, or nobody knows what. */
  outlineOf: (glyph: ShownGlyph) => Outline | undefined;
}

/** The outline of a glyph. */
export interface Outline {
  /** The box of its ink in ems. */
  ink: Box;
  /** The same for the same outline under any glyph name. */
  shape: string;
}

/** What pdf.js says of a glyph. */
interface ShownGlyph {
  unicode: string;
  fontChar: string;
  width: number;
  isSpace: boolean;
  vmetric?: ArrayLike<number> | null;
  /** Of a font whose glyphs are drawn by operators: the name of its list. */
  operatorListId?: unknown;
}

/** A glyph that a page draws, whether or not it can be seen. */
export interface Glyph {
  text: string;
  /** See {@link Outline}; empty where nothing is known of it. */
  shape: string;
  /** The box of its ink, or of its advance where nothing is known of the ink. */
  ink: Box;
  /** From descender to ascender, over its advance. */
  line: Box;
  /** Where the pen stands before and after it. */
  from: { x: number; y: number };
  to: { x: number; y: number };
  /** The size of its font on the page. */
  size: number;
  isSpace: boolean;
  /** Drawn in a tile of a pattern: it stands at more places than this one. */
  isInPattern: boolean;
  /** Written in no colour, or in optional content that is off. */
  isInvisible: boolean;
  /** Drawn with outlines that are perhaps not those of the file. */
  isOfSubstitute: boolean;
}

/** A filled path, by its bounds. */
export interface Fill {
  bounds: Box;
  /** `#rrggbb`, as pdf.js says it; undefined for a pattern. */
  color: string | undefined;
}

interface State {
  ctm: Matrix;
  font: WalkFont | undefined;
  size: number;
  direction: 1 | -1;
  charSpacing: number;
  wordSpacing: number;
  hScale: number;
  leading: number;
  rise: number;
  textMatrix: Matrix;
  x: number;
  y: number;
  lineX: number;
  lineY: number;
  color: string | undefined;
  renderingMode: number;
}

const [descender, ascender] = [-0.22, 0.78];
const invisible = 3;
const fills: ReadonlySet<number> = new Set([
  OPS.fill,
  OPS.eoFill,
  OPS.fillStroke,
  OPS.eoFillStroke,
  OPS.closeFillStroke,
  OPS.closeEOFillStroke,
]);

/** A list of operators as pdf.js makes it. */
export interface OperatorList {
  fnArray: readonly number[];
  argsArray: readonly unknown[];
}

/** What a walk asks and reports. */
interface WalkAbout {
  fontOf: (name: string) => WalkFont | undefined;
  /** Whether optional content is on. */
  isOn?: (properties: unknown) => boolean;
  glyph?: (glyph: Glyph) => void;
}

/**
 * Follows a page's operators one by one and keeps the state that places depend on, as the renderer of pdf.js does; what
 * is switched off, clipped or invisible is followed too.
 */
export class Walk {
  readonly #base: Matrix;
  readonly #about: WalkAbout;
  readonly #isInPattern: boolean;
  readonly #stack: State[] = [];
  /** Of each marked content that is open, whether it is switched off. */
  readonly #marked: boolean[] = [];
  #state: State;

  /** @param base from the page's own coordinates to those of the page as it is shown */
  constructor(base: Matrix, about: WalkAbout, isInPattern = false) {
    this.#base = base;
    this.#about = about;
    this.#isInPattern = isInPattern;
    this.#state = initialState(base);
  }

  follow({ fnArray, argsArray }: OperatorList): void {
    for (const [index, operator] of fnArray.entries()) this.step(operator, argsArray[index]);
  }

  /** Takes one operator; returns the fill, if it is one of a path. */
  step(operator: number, given: unknown): Fill | undefined {
    const args = (given ?? []) as readonly unknown[];
    const state = this.#state;
    const number = (index: number) => Number(args[index] ?? 0);
    switch (operator) {
      case OPS.save:
      case OPS.beginGroup:
        this.#save();
        break;
      case OPS.restore:
      case OPS.endGroup:
      case OPS.paintFormXObjectEnd:
      case OPS.endAnnotation:
        this.#state = this.#stack.pop() ?? state;
        break;
      case OPS.transform:
        state.ctm = multiply(state.ctm, args as number[]);
        break;
      case OPS.paintFormXObjectBegin:
        this.#save();
        if (args[0]) this.#state.ctm = multiply(this.#state.ctm, args[0] as number[]);
        break;
      case OPS.beginAnnotation:
        this.#save();
        this.#state = initialState(multiply(multiply(this.#base, args[2] as number[]), args[3] as number[]));
        break;
      case OPS.beginText:
        Object.assign(state, { textMatrix: identity, x: 0, y: 0, lineX: 0, lineY: 0 });
        break;
      case OPS.setCharSpacing:
        state.charSpacing = number(0);
        break;
      case OPS.setWordSpacing:
        state.wordSpacing = number(0);
        break;
      case OPS.setHScale:
        state.hScale = number(0) / 100;
        break;
      case OPS.setLeading:
        state.leading = -number(0);
        break;
      case OPS.setTextRise:
        state.rise = number(0);
        break;
      case OPS.setFont:
        this.#setFont(String(args[0]), number(1));
        break;
      case OPS.setGState:
        for (const [key, value] of args[0] as [string, unknown][]) {
          if (key === "Font" && Array.isArray(value)) this.#setFont(String(value[0]), Number(value[1]));
        }
        break;
      case OPS.setTextRenderingMode:
        state.renderingMode = number(0);
        break;
      case OPS.beginMarkedContent:
        this.#marked.push(false);
        break;
      case OPS.beginMarkedContentProps:
        this.#marked.push(args[0] === "OC" && this.#about.isOn?.(args[1]) === false);
        break;
      case OPS.endMarkedContent:
        this.#marked.pop();
        break;
      case OPS.moveText:
        this.#moveText(number(0), number(1));
        break;
      case OPS.setLeadingMoveText:
        state.leading = number(1);
        this.#moveText(number(0), number(1));
        break;
      case OPS.nextLine:
        this.#moveText(0, state.leading);
        break;
      case OPS.setTextMatrix:
        // One argument that is an array, or the six numbers of it.
        Object.assign(state, { textMatrix: multiply(identity, (args[0] as number[] | undefined) ?? []) });
        Object.assign(state, { x: 0, y: 0, lineX: 0, lineY: 0 });
        break;
      case OPS.showText:
        this.#show(args[0] as readonly (number | ShownGlyph)[]);
        break;
      case OPS.setFillRGBColor:
        state.color = String(args[0]);
        break;
      case OPS.setFillTransparent:
        state.color = undefined;
        break;
      case OPS.setFillColorN:
      case OPS.setStrokeColorN:
        if (operator === OPS.setFillColorN) state.color = undefined;
        if (args[0] === "TilingPattern") this.#followPattern(args[2] as OperatorList, args[3] as number[] | null);
        break;
      case OPS.constructPath:
        return this.#fill(args);
    }
    return undefined;
  }

  #save(): void {
    this.#stack.push(this.#state);
    this.#state = { ...this.#state };
  }

  #setFont(name: string, size: number): void {
    this.#state.font = this.#about.fontOf(name);
    this.#state.size = Math.abs(size);
    this.#state.direction = size < 0 ? -1 : 1;
  }

  #moveText(x: number, y: number): void {
    const state = this.#state;
    state.x = state.lineX += x;
    state.y = state.lineY += y;
  }

  #followPattern(list: OperatorList, matrix: readonly number[] | null): void {
    new Walk(multiply(this.#base, matrix ?? identity), this.#about, true).follow(list);
  }

  #fill(args: readonly unknown[]): Fill | undefined {
    const bounds = args[2] as ArrayLike<number> | null;
    if (!fills.has(Number(args[0])) || !bounds) return undefined;
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = Array.from(bounds);
    return { bounds: applyToBox(this.#state.ctm, x0, y0, x1, y1), color: this.#state.color };
  }

  /** As `showText` of the renderer in pdf.js counts. */
  #show(glyphs: readonly (number | ShownGlyph)[]): void {
    const state = this.#state;
    const { font, size, direction } = state;
    if (!font || size === 0) return;
    const scale = size * (font.fontMatrix[0] ?? 0.001);
    const hScale = state.hScale * direction;
    const text = multiply(multiply(state.ctm, state.textMatrix), [1, 0, 0, 1, state.x, state.y + state.rise]);
    const map = multiply(text, [hScale, 0, 0, direction, 0, 0]);
    let pen = 0;
    for (const glyph of glyphs) {
      if (typeof glyph === "number") {
        pen += ((font.isVertical ? 1 : -1) * glyph * size) / 1000;
        continue;
      }
      const spacing = ((glyph.isSpace ? state.wordSpacing : 0) + state.charSpacing) * direction;
      const vertical = font.isVertical ? Array.from(glyph.vmetric ?? [-1000, 500, 880]) : undefined;
      const [advance, x, y] = vertical
        ? [-(vertical[0] ?? 0) * scale, -(vertical[1] ?? 0) * scale, -pen - (vertical[2] ?? 0) * scale]
        : [glyph.width * scale, pen, 0];
      const place = multiply(map, [1, 0, 0, 1, x, y]);
      this.#emit(glyph, place, { size, scale, font, advance });
      pen += vertical ? advance - spacing : advance + spacing;
    }
    if (font.isVertical) state.y -= pen;
    else state.x += pen * hScale;
  }

  #emit(
    glyph: ShownGlyph,
    place: Matrix,
    { size, scale, font, advance }: { size: number; scale: number; font: WalkFont; advance: number },
  ): void {
    const width = font.isVertical ? glyph.width * scale : advance;
    const line = applyToBox(place, 0, descender * size, width, ascender * size);
    const outline = font.outlineOf(glyph);
    const { left = 0, top = 0, right = 0, bottom = 0 } = outline?.ink ?? {};
    this.#about.glyph?.({
      text: glyph.unicode,
      get shape() {
        return outline?.shape ?? "";
      },
      ink: outline ? applyToBox(place, left * size, top * size, right * size, bottom * size) : line,
      line,
      from: apply(place, 0, 0),
      to: font.isVertical ? apply(place, 0, -advance) : apply(place, width, 0),
      size: Math.hypot(place[2], place[3]) * size,
      isSpace: glyph.isSpace || glyph.unicode.trim() === "",
      isInPattern: this.#isInPattern,
      isOfSubstitute: font.isSubstitute,
      isInvisible: this.#state.renderingMode === invisible || this.#marked.includes(true),
    });
  }
}

function initialState(ctm: Matrix): State {
  return {
    ...{ ctm, font: undefined, size: 0, direction: 1, charSpacing: 0, wordSpacing: 0, hScale: 1, leading: 0, rise: 0 },
    ...{ textMatrix: identity, x: 0, y: 0, lineX: 0, lineY: 0, color: "#000000", renderingMode: 0 },
  };
}
