import type { Invariant } from "../invariants.ts";

/** A mistake that somebody could make in our code, and the run that has to show it. */
export interface Bug {
  readonly name: string;
  /** What it breaks, in a sentence. */
  readonly breaks: string;
  /** Each text stands exactly once in its file. */
  readonly edits: readonly Edit[];
  /** The row of the matrix in which it has to be caught. */
  readonly row: string;
  /** The invariants that can show it, and in which words: a violation of another kind is not its own. */
  readonly by: readonly Invariant[];
  readonly shows: RegExp;
}

export interface Edit {
  /** Relative to the project's root. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}
