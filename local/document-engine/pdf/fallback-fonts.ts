import { readFileSync } from "node:fs";
import { Font, installLoadFontFunction } from "mupdf";

/** Fonts for scripts that the library brings none for, by its names of scripts. */
const files: Readonly<Record<string, string>> = {
  Arabic: new URL("../fonts/NotoNaskhArabic-Regular.ttf", import.meta.resolve("@embedpdf/fonts-arabic")).pathname,
};
const loaded = new Map<string, Font>();

/** Lets the library draw texts in these scripts, which it would draw as empty boxes. */
export function installFallbackFonts(): void {
  installLoadFontFunction((_name, script) => {
    const file = files[script];
    if (file === undefined) return null;
    const font = loaded.get(script) ?? new Font(script, readFileSync(file));
    loaded.set(script, font);
    return font;
  });
}
