import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { expect } from "chai";
import { display } from "../../local/platform/display.ts";

/** A stream that takes itself for a terminal of 80 columns, or for none; and what was written to it. */
function screen(isTTY: boolean): { stream: NodeJS.WriteStream; seen: () => string } {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 80, rows: 24 });
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { stream: stream as unknown as NodeJS.WriteStream, seen: () => stripVTControlCharacters(text) };
}

const working = async (progress: (message: string) => void) => {
  progress("half way");
  await new Promise((resolve) => setTimeout(resolve, 20));
  return 42;
};

describe("the display of progress", () => {
  it("shows a stage live on a terminal: its title, what it does, how long it took", async () => {
    // Prepare
    const { stream, seen } = screen(true);

    // Act
    const value = await display(stream)("Copying", working);

    // Assess
    expect(value).to.equal(42);
    expect(seen())
      .to.match(/⠋ Copying/)
      .and.to.contain("half way")
      .and.to.match(/✔ Copying \[\d/);
  });

  it("writes plain lines elsewhere, and none twice in a row", async () => {
    // Prepare
    const { stream, seen } = screen(false);

    // Act
    await display(stream)("Copying", async (progress) => {
      progress("half way");
      return working(progress);
    });

    // Assess
    expect(seen().replace(/\d+\.\d/, "N")).to.equal("▶ Copying\n  half way\n✔ Copying (N s)\n");
  });

  for (const [where, isTTY] of [
    ["on a terminal", true],
    ["elsewhere", false],
  ] as const) {
    it(`marks the stage that failed ${where} and leaves the error to its caller`, async () => {
      // Prepare
      const { stream, seen } = screen(isTTY);
      const fault = new Error("no space left");

      // Act
      const thrown: unknown = await display(stream)("Copying", () => Promise.reject(fault)).catch((e: unknown) => e);

      // Assess
      expect(thrown).to.equal(fault);
      expect(seen()).to.contain("✖ Copying").and.not.to.contain("no space left");
    });
  }
});
