/** The operators of content streams (ISO 32000-1, annex A) and what they take. */

/**
 * One letter an operand: `n` number, `s` string, `/` name, `[` array of numbers, `t` array of strings and numbers; `*` takes
 * any number of numbers and perhaps a name.
 */
export const operators: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ q: "", Q: "", cm: "nnnnnn", w: "n", J: "n", j: "n", M: "n", d: "[n", ri: "/", i: "n", gs: "/" },
    ...{ m: "nn", l: "nn", c: "nnnnnn", v: "nnnn", y: "nnnn", h: "", re: "nnnn" },
    ...{ S: "", s: "", f: "", F: "", "f*": "", B: "", "B*": "", b: "", "b*": "", n: "", W: "", "W*": "" },
    ...{ BT: "", ET: "", Tc: "n", Tw: "n", Tz: "n", TL: "n", Tf: "/n", Tr: "n", Ts: "n" },
    ...{ Td: "nn", TD: "nn", Tm: "nnnnnn", "T*": "", Tj: "s", TJ: "t", "'": "s", '"': "nns" },
    ...{ d0: "nn", d1: "nnnnnn" },
    ...{
      CS: "/",
      cs: "/",
      SC: "*",
      SCN: "*",
      sc: "*",
      scn: "*",
      G: "n",
      g: "n",
      RG: "nnn",
      rg: "nnn",
      K: "nnnn",
      k: "nnnn",
    },
    ...{ sh: "/", Do: "/" },
  }),
);

/** Paint the path that was made; without paint it still ends, and clips. */
export const paintsPath = new Set(["S", "s", "f", "F", "f*", "B", "B*", "b", "b*"]);
export const showsText = new Set(["Tj", "TJ", "'", '"']);
/** Begin a line of text whose place does not depend on what was shown before. */
export const placesText = new Set(["Td", "TD", "Tm", "T*", "'", '"', "BT"]);
