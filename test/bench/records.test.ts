import { expect } from "chai";
import { resultOf, verdicts, type Series } from "../../bench/records/result.ts";

const rows = { whole: 2_000_000, tenth: 200_000, tiny: 600 };

describe("bench:records", () => {
  it("tells medians, growth, peak memory and the fixed cost of the slower mover", () => {
    // Act
    const result = resultOf(measured(), rows);
    // Assess
    expect(result).to.deep.equal({
      rows: 2_000_000,
      rowsPerSecond: {
        limit: 200_000,
        serverSide: 100_000,
        streaming: 50_000,
        dumpPipe: 40_000,
        mydumper: 80_000,
        sparkDefaults: 5_000,
      },
      growth: 0.95,
      peakMemoryMiB: { serverSide: 62, streaming: 500 },
      tinySeconds: 2.5,
    });
  });

  it("says of each target whether it was reached", () => {
    // Prepare
    const series = measured();
    // Act
    const lines = verdicts(resultOf(series, rows), series).split("\n");
    // Assess
    expect(lines).to.deep.equal([
      "✔ serverSide / limit: 0.5 (wanted: at least 0.5)",
      "✔ serverSide / mydumper: 1.25 (wanted: at least 1)",
      "✔ streaming / dumpPipe: 1.25 (wanted: at least 1.2)",
      "✔ streaming / sparkDefaults: 10 (wanted: at least 8)",
      "✔ growth: rows/s of serverSide, whole / tenth: 0.95 (wanted: at least 0.8)",
      "✔ memory, serverSide: 62 MiB, of a tenth 60 MiB (wanted: much the same)",
      "✖ memory, streaming: 500 MiB, of a tenth 300 MiB (wanted: much the same)",
      "✔ a tiny exchange, by the slower mover: 2.5 s (wanted: at most 3 s)",
    ]);
  });
});

/** Spark with defaults was measured on a tenth, as it is of so many rows. */
function measured(): Series[] {
  return [
    { way: "limit", size: "whole", runs: [{ seconds: 9 }, { seconds: 30 }, { seconds: 10 }] },
    { way: "serverSide", size: "whole", runs: [20, 19, 21].map((seconds) => ({ seconds, peakMiB: seconds + 41 })) },
    { way: "streaming", size: "whole", runs: [{ seconds: 40, peakMiB: 500 }] },
    { way: "dumpPipe", size: "whole", runs: [{ seconds: 50 }] },
    { way: "mydumper", size: "whole", runs: [{ seconds: 25 }] },
    { way: "sparkDefaults", size: "tenth", runs: [{ seconds: 40 }] },
    { way: "serverSide", size: "tenth", runs: [{ seconds: 1.9, peakMiB: 60 }] },
    { way: "serverSide", size: "tiny", runs: [{ seconds: 1.5, workSeconds: 0.8, peakMiB: 40 }] },
    { way: "streaming", size: "tenth", runs: [{ seconds: 9, peakMiB: 300 }] },
    { way: "streaming", size: "tiny", runs: [{ seconds: 8, workSeconds: 2.5, peakMiB: 290 }] },
  ];
}
