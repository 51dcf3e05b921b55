/** What the grammar leaves to code, by kind. */
import { copyColorSpace, profileContent } from "./color.ts";
import type { Handlers } from "./copier.ts";
import { copyGlyph, operatorContent } from "./drawing.ts";
import {
  cmapContent,
  finishCMap,
  finishCollection,
  finishDescriptor,
  finishEncoding,
  finishFont,
  finishType3,
  programContent,
} from "./fonts.ts";
import { calculatorContent, sampleContent } from "./functions.ts";
import { pixelContent, segmentContent } from "./images.ts";
import { key } from "./reading.ts";

export const handlers: Handlers = {
  streams: {
    operators: operatorContent,
    calculator: calculatorContent,
    cmap: cmapContent,
    program: programContent,
    pixels: pixelContent,
    profile: profileContent,
    samples: sampleContent,
    segments: segmentContent,
  },
  finish: {
    type1: finishFont,
    trueType: finishFont,
    type0: finishFont,
    cidFont: finishFont,
    type3: (job) => {
      const resources = job.copier.target.obj({});
      finishType3(copyGlyph(resources))(job);
      if (resources.entries().length > 0) job.into.set(key("Resources"), resources);
    },
    fontDescriptor: finishDescriptor,
    encoding: finishEncoding,
    collection: finishCollection,
    cmap: finishCMap,
  },
  colorSpace: copyColorSpace,
};
