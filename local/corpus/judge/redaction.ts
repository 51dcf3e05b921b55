import type { Box } from "../reader/matrix.ts";

/** A redaction as the judge has it: what was asked for, not what the product made of it. */
export interface JudgedRedaction {
  pageIndex: number;
  boxes: Box[];
  /** `#rrggbb` */
  fillColor: string;
  overlayText: string | undefined;
}

/** What is wrong with a file that was produced. */
export interface Finding {
  where: string;
  what: string;
}
