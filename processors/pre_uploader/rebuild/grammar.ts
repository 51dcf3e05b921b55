/**
 * What a rebuilt PDF may consist of (ISO 32000-1): for each kind of object the keys that it may have, and for each key the
 * kind of its value. The rebuild copies nothing else, and the proof of the structure accepts nothing else. One file, however
 * long: who wants to know what can be in a rebuilt PDF reads it from top to bottom.
 */

/** A value that may stand under a key. */
export type Rule =
  /**
   * `text`: a string that a reader shows, as UTF-16 with byte order mark; `bytes`: a string that is no text; `uri`: ASCII;
   * `appearance`: operators that set font and colour; `name`: a name that is free, and so must not quote.
   */
  | { is: "boolean" | "integer" | "number" | "text" | "bytes" | "uri" | "appearance" | "name" }
  /** One of these names. */
  | { names: readonly string[] }
  | { list: Rule }
  /** A dictionary whose keys are free names. */
  | { map: Rule }
  /** A dictionary or a stream of a kind, direct or by reference. */
  | { object: Kind }
  /** The kind depends on the value of a key. */
  | { by: string; of: Readonly<Record<string, Kind>> }
  | { either: readonly Rule[] }
  /** An array that begins with a name, which decides on what follows; what stands in for the last rule may be absent. */
  | { tagged: Readonly<Record<string, readonly Rule[]>> }
  /** An array that begins with a reference to a page, then a name and its numbers. */
  | { destination: true }
  /** A reference to an object that is reached elsewhere. */
  | { back: Kind };

interface ObjectKind {
  keys: Readonly<Record<string, Rule>>;
  /**
   * What the stream holds; a dictionary where it is absent. Every stream has a direct Length and no Filter or FlateDecode;
   * an image may have one of {@link imageFilters} instead, and DecodeParms.
   */
  stream?: StreamContent;
}

/**
 * `operators`: content of a page, form, pattern or glyph; `calculator`: a PostScript function; `cmap`: a CMap as the rebuild
 * writes it; `program`: a font; `pixels`: an image; `profile`: an ICC profile; `samples`: numbers without syntax;
 * `segments`: JBIG2 segments that images share.
 */
export type StreamContent =
  "operators" | "calculator" | "cmap" | "program" | "pixels" | "profile" | "samples" | "segments";

const boolean = { is: "boolean" } as const;
const integer = { is: "integer" } as const;
const number = { is: "number" } as const;
const text = { is: "text" } as const;
const bytes = { is: "bytes" } as const;
const name = { is: "name" } as const;
const numbers = { list: number } as const;
const integers = { list: integer } as const;

const names = (...values: string[]) => ({ names: values }) as const;
const object = (kind: Kind) => ({ object: kind }) as const;
const either = (...rules: Rule[]) => ({ either: rules }) as const;
const list = (rule: Rule) => ({ list: rule }) as const;
const map = (rule: Rule) => ({ map: rule }) as const;

const blendModes = [
  ...["Normal", "Compatible", "Multiply", "Screen", "Overlay", "Darken", "Lighten", "ColorDodge", "ColorBurn"],
  ...["HardLight", "SoftLight", "Difference", "Exclusion", "Hue", "Saturation", "Color", "Luminosity"],
];
export const renderingIntents = ["AbsoluteColorimetric", "RelativeColorimetric", "Saturation", "Perceptual"];
export const encodings = [
  "MacRomanEncoding",
  "MacExpertEncoding",
  "WinAnsiEncoding",
  "StandardEncoding",
  "PDFDocEncoding",
];
/** Colorants that readers know by name; all others are named anew. */
export const processColorants = ["All", "None", "Cyan", "Magenta", "Yellow", "Black", "Red", "Green", "Blue", "Gray"];
export const deviceSpaces = ["DeviceGray", "DeviceRGB", "DeviceCMYK"];
export const characterCollections = ["Identity", "Japan1", "Japan2", "GB1", "CNS1", "Korea1", "KR", "UCS"];
export const destinationKinds: Readonly<Record<string, number>> = {
  ...{ XYZ: 3, Fit: 0, FitH: 1, FitV: 1, FitR: 4, FitB: 0, FitBH: 1, FitBV: 1 },
};

const whitePoint = { WhitePoint: numbers, BlackPoint: numbers } as const;

const colorSpaceRules: Record<string, readonly Rule[]> = {
  CalGray: [object("calGray")],
  CalRGB: [object("calRgb")],
  Lab: [object("lab")],
  ICCBased: [object("profile")],
  Indexed: [object("colorSpace"), integer, either(bytes, object("samples"))],
  Separation: [name, object("colorSpace"), object("function")],
  DeviceN: [list(name), object("colorSpace"), object("function")],
  Pattern: [object("colorSpace")],
};
/** A colour space is a name or an array that begins with one. */
export const colorSpace: Rule = either(names(...deviceSpaces, "Pattern"), { tagged: colorSpaceRules });

const functionRule: Rule = {
  by: "FunctionType",
  of: { 0: "sampledFunction", 2: "exponentialFunction", 3: "stitchingFunction", 4: "calculatorFunction" },
};
const transfer = either(names("Identity", "Default"), functionRule, list(either(names("Identity"), functionRule)));

export const fontRule: Rule = {
  by: "Subtype",
  of: { Type1: "type1", MMType1: "type1", TrueType: "trueType", Type3: "type3", Type0: "type0" },
};
export const xObjectRule: Rule = { by: "Subtype", of: { Image: "image", Form: "form" } };
export const patternRule: Rule = { by: "PatternType", of: { 1: "tilingPattern", 2: "shadingPattern" } };
export const shadingRule: Rule = {
  by: "ShadingType",
  of: {
    ...{ 1: "functionShading", 2: "axialShading", 3: "radialShading" },
    ...{ 4: "meshShading", 5: "meshShading", 6: "meshShading", 7: "meshShading" },
  },
};
const actionRule: Rule = { by: "S", of: { GoTo: "goTo", URI: "uri" } };

const simpleFont = {
  Type: names("Font"),
  BaseFont: name,
  FirstChar: integer,
  LastChar: integer,
  Widths: numbers,
  FontDescriptor: object("fontDescriptor"),
  Encoding: either(names(...encodings), object("encoding")),
  ToUnicode: object("toUnicode"),
} as const;

const shading = { ColorSpace: colorSpace, Background: numbers, BBox: numbers, AntiAlias: boolean } as const;
const functions = either(functionRule, list(functionRule));
/** Of axial and radial shadings. */
const gradient = {
  ...{ ShadingType: integer, ...shading, Coords: numbers, Domain: numbers, Function: functions },
  Extend: list(boolean),
} as const;
const functionKeys = { FunctionType: integer, Domain: numbers, Range: numbers } as const;

const annotation = {
  Type: names("Annot"),
  Rect: numbers,
  F: integer,
  AP: object("appearances"),
  AS: name,
  Border: list(either(number, numbers)),
  BS: object("borderStyle"),
  C: numbers,
} as const;
/** Drawings that are part of the source document. */
const drawing = {
  ...annotation,
  ...{ Contents: text, CA: number, IC: numbers, RD: numbers, QuadPoints: numbers, InkList: list(numbers) },
  ...{ L: numbers, Vertices: numbers, LE: either(name, list(name)), BE: object("borderEffect") },
} as const;
export const drawings = [
  ...[
    "Line",
    "Square",
    "Circle",
    "Polygon",
    "PolyLine",
    "Underline",
    "Squiggly",
    "StrikeOut",
    "Caret",
    "Ink",
    "Watermark",
  ],
];

const field = {
  FT: names("Tx", "Btn", "Ch"),
  T: text,
  TU: text,
  TM: text,
  Ff: integer,
  V: either(text, name, list(text)),
  DV: either(text, name, list(text)),
  MaxLen: integer,
  DA: { is: "appearance" },
  Q: integer,
  Opt: list(either(text, list(text))),
  TI: integer,
  I: integers,
} as const;

const page = {
  Type: names("Page"),
  Parent: { back: "pages" },
  MediaBox: numbers,
  CropBox: numbers,
  BleedBox: numbers,
  TrimBox: numbers,
  ArtBox: numbers,
  Rotate: integer,
  UserUnit: number,
  Group: object("group"),
  Resources: object("resources"),
  Contents: object("content"),
  Annots: list({
    by: "Subtype",
    of: { Link: "link", Widget: "widget", ...Object.fromEntries(drawings.map((kind) => [kind, "drawing" as const])) },
  }),
} as const;

const image = {
  Type: names("XObject"),
  Subtype: names("Image"),
  Width: integer,
  Height: integer,
  ColorSpace: colorSpace,
  BitsPerComponent: integer,
  Intent: names(...renderingIntents),
  ImageMask: boolean,
  Mask: either(object("image"), integers),
  Decode: numbers,
  Interpolate: boolean,
  SMask: object("image"),
  SMaskInData: integer,
  Matte: numbers,
} as const;

const form = {
  Type: names("XObject"),
  Subtype: names("Form"),
  BBox: numbers,
  Matrix: numbers,
  Group: object("group"),
  Resources: object("resources"),
} as const;

export type Kind =
  | ("catalog" | "pages" | "page" | "content" | "resources" | "group" | "form" | "tilingPattern" | "shadingPattern")
  | ("type1" | "trueType" | "type3" | "type0" | "cidFont" | "fontDescriptor" | "encoding" | "collection" | "glyph")
  | ("toUnicode" | "cmap" | "type1Program" | "trueTypeProgram" | "compactProgram" | "samples" | "segments" | "profile")
  | ("image" | "decodeParms" | "graphicsState" | "softMask" | "colorSpace" | "calGray" | "calRgb" | "lab" | "function")
  | ("sampledFunction" | "exponentialFunction" | "stitchingFunction" | "calculatorFunction")
  | (
      | "functionShading"
      | "axialShading"
      | "radialShading"
      | "meshShading"
      | "appearances"
      | "borderStyle"
      | "borderEffect"
    )
  | (
      | "link"
      | "widget"
      | "drawing"
      | "characteristics"
      | "goTo"
      | "uri"
      | "acroForm"
      | "field"
      | "outlines"
      | "bookmark"
    )
  | ("pageLabels" | "pageLabel");

/** Kinds that are one of several, which a rule distinguishes. */
export const variants: Partial<Record<Kind, Rule>> = { colorSpace, function: functionRule };

export const kinds: Readonly<Record<Kind, ObjectKind>> = {
  catalog: {
    keys: {
      Type: names("Catalog"),
      Pages: object("pages"),
      Outlines: object("outlines"),
      PageLabels: object("pageLabels"),
      AcroForm: object("acroForm"),
    },
  },
  pages: {
    keys: {
      Type: names("Pages"),
      Parent: { back: "pages" },
      Kids: list({ by: "Type", of: { Page: "page", Pages: "pages" } }),
      Count: integer,
    },
  },
  page: { keys: page },
  content: { keys: {}, stream: "operators" },
  resources: {
    keys: {
      Font: map(fontRule),
      XObject: map(xObjectRule),
      ExtGState: map(object("graphicsState")),
      ColorSpace: map(colorSpace),
      Pattern: map(patternRule),
      Shading: map(shadingRule),
    },
  },
  group: {
    keys: { Type: names("Group"), S: names("Transparency"), CS: colorSpace, I: boolean, K: boolean },
  },
  form: { keys: form, stream: "operators" },
  tilingPattern: {
    keys: {
      ...{ Type: names("Pattern"), PatternType: integer, PaintType: integer, TilingType: integer, BBox: numbers },
      ...{ XStep: number, YStep: number, Matrix: numbers, Resources: object("resources") },
    },
    stream: "operators",
  },
  shadingPattern: {
    keys: {
      ...{ Type: names("Pattern"), PatternType: integer, Shading: shadingRule, Matrix: numbers },
      ...{ ExtGState: object("graphicsState") },
    },
  },

  type1: { keys: { ...simpleFont, Subtype: names("Type1", "MMType1") } },
  trueType: { keys: { ...simpleFont, Subtype: names("TrueType") } },
  type3: {
    keys: {
      ...{ Type: names("Font"), Subtype: names("Type3"), FontBBox: numbers, FontMatrix: numbers },
      ...{ CharProcs: map(object("glyph")), Encoding: either(names(...encodings), object("encoding")) },
      ...{ FirstChar: integer, LastChar: integer, Widths: numbers, Resources: object("resources") },
      ...{ ToUnicode: object("toUnicode") },
    },
  },
  type0: {
    keys: {
      ...{ Type: names("Font"), Subtype: names("Type0"), BaseFont: name, Encoding: either(name, object("cmap")) },
      ...{ DescendantFonts: list(object("cidFont")), ToUnicode: object("toUnicode") },
    },
  },
  cidFont: {
    keys: {
      ...{ Type: names("Font"), Subtype: names("CIDFontType0", "CIDFontType2"), BaseFont: name },
      ...{ CIDSystemInfo: object("collection"), FontDescriptor: object("fontDescriptor"), DW: number, DW2: numbers },
      ...{ W: list(either(number, numbers)), W2: list(either(number, numbers)) },
      ...{ CIDToGIDMap: either(names("Identity"), object("samples")) },
    },
  },
  fontDescriptor: {
    keys: {
      ...{ Type: names("FontDescriptor"), FontName: name, Flags: integer, FontBBox: numbers, ItalicAngle: number },
      ...{ Ascent: number, Descent: number, Leading: number, CapHeight: number, XHeight: number, StemV: number },
      ...{ StemH: number, AvgWidth: number, MaxWidth: number, MissingWidth: number, FontWeight: number },
      ...{
        FontFile: object("type1Program"),
        FontFile2: object("trueTypeProgram"),
        FontFile3: object("compactProgram"),
      },
    },
  },
  encoding: {
    keys: {
      ...{ Type: names("Encoding"), BaseEncoding: names(...encodings), Differences: list(either(integer, name)) },
    },
  },
  collection: { keys: { Registry: bytes, Ordering: bytes, Supplement: integer } },
  glyph: { keys: {}, stream: "operators" },
  toUnicode: { keys: {}, stream: "cmap" },
  cmap: {
    keys: {
      ...{ Type: names("CMap"), CMapName: name, CIDSystemInfo: object("collection"), WMode: integer },
      ...{ UseCMap: either(name, object("cmap")) },
    },
    stream: "cmap",
  },
  type1Program: { keys: { Length1: integer, Length2: integer, Length3: integer }, stream: "program" },
  trueTypeProgram: { keys: { Length1: integer }, stream: "program" },
  compactProgram: { keys: { Subtype: names("Type1C", "CIDFontType0C", "OpenType") }, stream: "program" },
  samples: { keys: {}, stream: "samples" },
  segments: { keys: {}, stream: "segments" },
  profile: { keys: { N: integer, Alternate: colorSpace, Range: numbers }, stream: "profile" },

  image: { keys: image, stream: "pixels" },
  decodeParms: {
    keys: {
      ...{ Predictor: integer, Colors: integer, BitsPerComponent: integer, Columns: integer, ColorTransform: integer },
      ...{ K: integer, EndOfLine: boolean, EncodedByteAlign: boolean, Rows: integer, EndOfBlock: boolean },
      ...{ BlackIs1: boolean, DamagedRowsBeforeError: integer, JBIG2Globals: object("segments") },
    },
  },
  graphicsState: {
    keys: {
      ...{ Type: names("ExtGState"), LW: number, LC: integer, LJ: integer, ML: number },
      ...{ D: list(either(number, numbers)), RI: names(...renderingIntents), OP: boolean, op: boolean, OPM: integer },
      ...{ Font: list(either(number, fontRule)), TR: transfer, TR2: transfer, FL: number, SM: number, SA: boolean },
      ...{
        BM: either(names(...blendModes), list(names(...blendModes))),
        SMask: either(names("None"), object("softMask")),
      },
      ...{ CA: number, ca: number, AIS: boolean, TK: boolean },
    },
  },
  softMask: {
    keys: {
      ...{ Type: names("Mask"), S: names("Alpha", "Luminosity"), G: object("form"), BC: numbers },
      ...{ TR: either(names("Identity"), functionRule) },
    },
  },
  colorSpace: { keys: {} },
  calGray: { keys: { ...whitePoint, Gamma: number } },
  calRgb: { keys: { ...whitePoint, Gamma: numbers, Matrix: numbers } },
  lab: { keys: { ...whitePoint, Range: numbers } },
  function: { keys: {} },
  sampledFunction: {
    keys: {
      ...functionKeys,
      ...{ Size: integers, BitsPerSample: integer, Order: integer, Encode: numbers, Decode: numbers },
    },
    stream: "samples",
  },
  exponentialFunction: { keys: { ...functionKeys, C0: numbers, C1: numbers, N: number } },
  stitchingFunction: { keys: { ...functionKeys, Functions: list(functionRule), Bounds: numbers, Encode: numbers } },
  calculatorFunction: { keys: functionKeys, stream: "calculator" },
  functionShading: {
    keys: { ShadingType: integer, ...shading, Domain: numbers, Matrix: numbers, Function: functions },
  },
  axialShading: { keys: gradient },
  radialShading: { keys: gradient },
  meshShading: {
    keys: {
      ...{
        ShadingType: integer,
        ...shading,
        BitsPerCoordinate: integer,
        BitsPerComponent: integer,
        BitsPerFlag: integer,
      },
      ...{ Decode: numbers, VerticesPerRow: integer, Function: functions },
    },
    stream: "samples",
  },

  appearances: {
    keys: {
      N: either(object("form"), map(object("form"))),
      R: either(object("form"), map(object("form"))),
      D: either(object("form"), map(object("form"))),
    },
  },
  borderStyle: { keys: { Type: names("Border"), W: number, S: names("S", "D", "B", "I", "U"), D: numbers } },
  borderEffect: { keys: { S: names("S", "C"), I: number } },
  link: {
    keys: {
      ...{ ...annotation, Subtype: names("Link"), A: actionRule, Dest: { destination: true } },
      ...{ H: names("N", "I", "O", "P"), QuadPoints: numbers },
    },
  },
  widget: {
    keys: {
      ...{ ...annotation, ...field, Subtype: names("Widget"), Parent: { back: "field" }, A: actionRule },
      ...{ MK: object("characteristics"), H: names("N", "I", "O", "P", "T") },
    },
  },
  drawing: { keys: { ...drawing, Subtype: names(...drawings) } },
  characteristics: {
    keys: {
      ...{ R: integer, BC: numbers, BG: numbers, CA: text, RC: text, AC: text, TP: integer },
      ...{ I: object("form"), RI: object("form"), IX: object("form") },
    },
  },
  goTo: { keys: { Type: names("Action"), S: names("GoTo"), D: { destination: true } } },
  uri: { keys: { Type: names("Action"), S: names("URI"), URI: { is: "uri" } } },
  acroForm: {
    keys: {
      ...{
        Fields: list(either({ back: "widget" }, object("field"))),
        NeedAppearances: boolean,
        DR: object("resources"),
      },
      ...{ DA: { is: "appearance" }, Q: integer },
    },
  },
  field: {
    keys: { ...field, Parent: { back: "field" }, Kids: list(either({ back: "widget" }, object("field"))) },
  },
  outlines: {
    keys: { Type: names("Outlines"), First: object("bookmark"), Last: { back: "bookmark" }, Count: integer },
  },
  bookmark: {
    keys: {
      ...{ Title: text, Parent: either({ back: "outlines" }, { back: "bookmark" }), Prev: { back: "bookmark" } },
      ...{ Next: object("bookmark"), First: object("bookmark"), Last: { back: "bookmark" }, Count: integer },
      ...{ Dest: { destination: true }, A: actionRule, C: numbers, F: integer },
    },
  },
  pageLabels: { keys: { Nums: list(either(integer, object("pageLabel"))) } },
  pageLabel: {
    keys: { Type: names("PageLabel"), S: names("D", "R", "r", "A", "a"), P: text, St: integer },
  },
};
