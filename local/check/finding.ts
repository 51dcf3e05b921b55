/** Something that is not as it must be. `about` tells what kind of thing, so that a reader can sort findings. */
export interface Finding {
  about:
    | "unknown table"
    | "missing row"
    | "wrong row"
    | "doubled row"
    | "stray row"
    | "dangling key"
    | "missing file"
    | "wrong file"
    | "stray object"
    | "leak"
    | "wrong annotation"
    | "wrong index"
    | "changed destination"
    | "changed source"
    | "leftover";
  text: string;
}

/** Sentences that are about one kind of thing. */
export function findings(about: Finding["about"], texts: readonly string[]): Finding[] {
  return texts.map((text) => ({ about, text }));
}
