import type { Box } from "./pdf/geometry.ts";

/** A redaction that becomes part of its page. */
export interface Redaction {
  pageIndex: number;
  /** What it hides: its rectangles, not their hull. */
  boxes: Box[];
  /** The colour of the boxes, `#RRGGBB`. @default #000000 */
  fillColor?: string | undefined;
  /** The text printed on the boxes. */
  overlayText?: string | undefined;
}
