import type { OnFile } from "./corpus.ts";

/** A line for each file that needs one, and how far it is: one line that changes on a terminal, one in twenty elsewhere. */
export function progressOn(stream: Pick<NodeJS.WriteStream, "write" | "isTTY">): OnFile {
  return ({ file, outcome, code, leaks }, { done, files, elapsedSeconds }) => {
    const clear = stream.isTTY ? "\r\u001b[K" : "";
    const troubles = [
      ...(outcome === "produced" ? [] : [`${outcome}: ${code ?? ""}`]),
      ...leaks.map(({ where, what }) => `LEAK: ${where}: ${what}`),
    ];
    for (const trouble of troubles) stream.write(`${clear}${file}: ${trouble}\n`);
    const left = Math.ceil((elapsedSeconds / done) * (files - done));
    const line = `${done} of ${files} files, ${left} s left; last: ${file}`;
    if (stream.isTTY) stream.write(`${clear}${line}${done === files ? "\n" : ""}`);
    else if (done % 20 === 0 || done === files) stream.write(`${line}\n`);
  };
}
