/**
 * `npm run bench:records [-- --rows N]`: the record copy against what an administrator would do by hand, on one
 * generated case of N rows or some more (2,000,000; a document has about twelve). The last line of stdout is one JSON
 * object: rows/s are medians, memory is in MiB.
 *
 * What is compared is the same work: the selection is the whole case, because mydumper takes whole schemas; every way
 * begins with an empty destination of the same schema on the same server, and ends with as many rows in every table,
 * which is checked. The ways take turns, each after the server has come to rest. The copy's time is that of its process
 * from start to end, Spark's own start included, and so is that of the other tools, but for Spark with defaults, whose
 * start does not count. Only the copy gives new ids, proves what it wrote, can be resumed and taken out, and writes a
 * manifest.
 *
 * - limit: one `INSERT … SELECT *` a table, foreign keys checked, no locks on the source.
 * - dumpPipe: `mariadb-dump --single-transaction | mariadb`, rows only.
 * - mydumper: mydumper, then myloader, with their defaults, rows only.
 * - sparkDefaults: Spark's JDBC source and sink with their defaults; of more than 600,000 rows a tenth.
 */
import { parseArgs } from "node:util";
import { startCloud, type Cloud } from "../local/cloud/cloud.ts";
import { makeLogins } from "../local/platform/databases.ts";
import { display } from "../local/platform/display.ts";
import { PlatformInputError } from "../local/platform/errors.ts";
import { caseSchemaPrefix, defaultRunDir } from "../local/platform/platform.ts";
import { explain, onInterrupt } from "../local/platform/terminal.ts";
import { ensureToolchain } from "../local/toolchain/index.ts";
import { countRows, makeCase, makeRoom, total, withEmptyCase } from "./records/cases.ts";
import { resultOf, table, verdicts, type Series, type Size } from "./records/result.ts";
import { ensureDumpTools } from "./records/tools.ts";
import { copiesOn, keepSecrets, type Copy, type Ground, type Run, type Way } from "./records/ways.ts";

const usage = `Usage: npm run bench:records [-- --rows N] [--rounds N]

  --rows N    how many rows the case has at least, 2000000 by default; 20000 or more
  --rounds N  how often each way is measured: 3 times by default, 5 times where there are less than a million rows
  --help      show this text
`;

const caseIds: Readonly<Record<Size, number>> = { whole: 1, tenth: 2, tiny: 3 };
const destinationCaseId = 9;
const tinyDocuments = 50;
const rowsPerDocument = 10;
/** Of more rows Spark with defaults copies a tenth: five thousand a second would take too long. */
const sparkRowsAtMost = 600_000;

const stage = display();
const interrupt = onInterrupt();

try {
  const string = { type: "string" } as const;
  const { values } = parseArgs({ options: { rows: string, rounds: string, help: { type: "boolean" } } });
  if (values.help) process.stdout.write(usage);
  else {
    const rows = wholeNumber("rows", values.rows ?? "2000000", 20_000, 100_000_000);
    await bench(rows, wholeNumber("rounds", values.rounds ?? (rows < 1_000_000 ? "5" : "3"), 1, 99));
  }
} catch (error) {
  process.exitCode = explain(error, interrupt.signal);
}
interrupt.dispose();

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new PlatformInputError(
    "OPTION_INVALID",
    `--${name} must be a whole number from ${least} to ${most}, not ${text}`,
  );
}

async function bench(rows: number, rounds: number): Promise<void> {
  const [toolchain, tools] = await stage("Tools", async (progress) => {
    const found = await ensureToolchain(progress);
    return [found, await ensureDumpTools(found.cacheDir, progress)] as const;
  });
  const cloud = await stage("Cloud and database server", (progress) =>
    startCloud({ runDir: defaultRunDir, toolchain, progress }),
  );
  try {
    const logins = await makeLogins(cloud, caseSchemaPrefix);
    const ground: Ground = { cloud, toolchain, tools, logins, signal: interrupt.signal };
    await keepSecrets(ground);
    await measure(ground, rows, rounds);
  } finally {
    await stage("Stopping everything", () => cloud.stop());
  }
}

async function measure(ground: Ground, wanted: number, rounds: number): Promise<void> {
  const { cloud } = ground;
  const counts = await makeCases(cloud, wanted);
  const rows = { whole: total(counts.whole), tenth: total(counts.tenth), tiny: total(counts.tiny) };
  const all = [
    ...(["limit", "serverSide", "streaming", "dumpPipe", "mydumper"] as const).map((way) => seriesOf(way, "whole")),
    seriesOf("sparkDefaults", rows.whole > sparkRowsAtMost ? "tenth" : "whole"),
    ...(["serverSide", "streaming"] as const).flatMap((way) => [seriesOf(way, "tenth"), seriesOf(way, "tiny")]),
  ];
  const copies = copiesOn(ground);
  for (let round = 0; round < rounds; round++) {
    // Whatever one leaves behind falls on another each time.
    const turns = [...all.slice(round), ...all.slice(0, round)];
    for (const { way, size, runs } of turns) {
      interrupt.signal.throwIfAborted();
      const title = `Round ${round + 1} of ${rounds}: ${way}, ${rows[size].toLocaleString("en")} rows`;
      runs.push(await stage(title, () => run(cloud, copies[way], caseIds[size], counts[size])));
    }
  }
  const result = resultOf(all, rows);
  process.stderr.write(`\n${table(all, rows)}\n\n${verdicts(result, all)}\n\n`);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

function seriesOf(way: Way, size: Size): Series & { runs: Run[] } {
  return { way, size, runs: [] };
}

async function makeCases({ database }: Cloud, wanted: number): Promise<Record<Size, Record<string, number>>> {
  await makeRoom(database);
  const documents = Math.ceil(wanted / rowsPerDocument);
  const make = (size: Size, of: number) =>
    stage(`A case of ${of.toLocaleString("en")} documents`, () => makeCase(database, caseIds[size], of));
  return {
    whole: await make("whole", documents),
    tenth: await make("tenth", Math.ceil(documents / 10)),
    tiny: await make("tiny", tinyDocuments),
  };
}

async function run({ database }: Cloud, copy: Copy, caseId: number, wanted: Record<string, number>): Promise<Run> {
  return withEmptyCase(database, destinationCaseId, async () => {
    const done = await copy(caseId, destinationCaseId);
    const found = await countRows(database, destinationCaseId);
    const wrong = Object.keys(wanted).filter((name) => found[name] !== wanted[name]);
    if (wrong.length > 0) throw new Error(`the copy lacks rows, or has too many, in ${wrong.join(", ")}`);
    return done;
  });
}
