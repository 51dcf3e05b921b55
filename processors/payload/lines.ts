/**
 * The lines of a UTF-8 stream, without their ends and without empty ones.
 *
 * Only the newline ends a line: file names may hold the Unicode separators that `readline` breaks at as well.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const chunk of chunks) {
    const pieces = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = pieces.pop() ?? "";
    yield* pieces.filter((piece) => piece !== "");
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
