import type { Place } from "../place.ts";

export { Place } from "../place.ts";

/** A text that a file holds outside of its pages' text. */
export interface FoundText {
  text: string;
  place: Place;
}
