import { holdsSecret, markSecrets, secret, type Bag } from "./values.ts";

/** Outputs that repeat an input under another name. */
const echoes: Readonly<Record<string, string>> = { tagsAll: "tags" };

/** Marks in the outputs what came in as a secret, wherever it shows up again. */
export function markOutputs(outputs: Bag, inputs: Bag): Bag {
  const marked = markSecrets(outputs, inputs);
  for (const [output, input] of Object.entries(echoes)) {
    if (marked[output] !== undefined && holdsSecret(inputs[input])) marked[output] = secret(marked[output]);
  }
  return marked;
}
