/**
 * `npm run demo`: an exchange on this machine from nothing to nothing. Progress goes to stderr; the last line of stdout
 * is one JSON object that says what came out.
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { AnnotationChoices } from "../../contracts/annotations.ts";
import { metadataKinds } from "../../contracts/request.ts";
import { checkExchange, takeFingerprint, type CheckResult } from "../check/check.ts";
import { createClient, type Client, type ExchangeView } from "../platform/client.ts";
import { display } from "../platform/display.ts";
import { PlatformInputError } from "../platform/errors.ts";
import { openOutsider } from "../platform/outsider.ts";
import { defaultRunDir, startPlatform, type Platform } from "../platform/platform.ts";
import { explain, onInterrupt } from "../platform/terminal.ts";
import { fileTree } from "../samples/file-tree.ts";
import { readFailures, withFailures } from "./failures.ts";
import { phaseSeconds, progressLine } from "./progress.ts";

const usage = `Usage: npm run demo [-- --files DIR] [-- --no-annotations]

Starts a cloud on this machine, makes two cases, exchanges documents through the HTTP API, checks the destination
by reading it, and takes everything down again.

  --files DIR       make the source case of your own files: all in DIR and its sub-folders; they have no annotations
  --no-annotations  leave the annotations of the sample documents at home; with --annotations, the default, each of
                    them becomes part of its page or travels as a layer, and the pages before and after are painted
  --help            show this text
`;

/** How the annotations of the sample travel: both ways, and comments. */
const choices: AnnotationChoices = {
  redactionsAs: "brand_in",
  highlightsAs: "brand_in",
  notesAs: "layer",
  stickersAs: "layer",
  batesAs: "brand_in",
  confidentialityCodesAs: "brand_in",
  comments: true,
};
const picturesDir = join(defaultRunDir, "logs", "pages");

const stage = display();
const interrupt = onInterrupt();

try {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      files: { type: "string" },
      annotations: { type: "boolean", default: true },
      help: { type: "boolean" },
    },
  });
  if (values.help) process.stdout.write(usage);
  else if (values.files !== undefined) await demo(await folderOfFiles(values.files), false);
  else await demo(undefined, values.annotations);
} catch (error) {
  process.exitCode = explain(error, interrupt.signal);
}
interrupt.dispose();

async function demo(files: string | undefined, annotated: boolean): Promise<void> {
  const { signal } = interrupt;
  const started = performance.now();
  const platform = await startPlatform({ stage, signal, ...(files !== undefined && { files }) });
  const setup = secondsSince(started);
  let outcome: { view: ExchangeView; verdict: CheckResult };
  try {
    for (const note of platform.cases.notes) process.stderr.write(`  note: ${note}\n`);
    outcome = await exchangeAndCheck(platform, files === undefined ? "demo" : "own-files", annotated);
  } finally {
    await stage("Stopping everything", () => platform.stop());
  }
  const { view, verdict } = outcome;
  report(view, verdict);
  const seconds = { setup, ...phaseSeconds(view), total: secondsSince(started) };
  const { documents, rows, leftovers, annotations, search } = verdict;
  const { exchangeId, state, redactions } = view;
  process.stdout.write(
    `${JSON.stringify({ exchangeId, state, documents, rows, leftovers, annotations, redactions, search, seconds })}\n`,
  );
  if (state !== "FINISHED" || verdict.problems.length > 0) process.exitCode = 1;
}

async function exchangeAndCheck(
  platform: Platform,
  batchId: string,
  annotated: boolean,
): Promise<{ view: ExchangeView; verdict: CheckResult }> {
  const { signal } = interrupt;
  const { sourceCaseId, destinationCaseId, selection, expectedDocumentIds, reviewed } = platform.cases;
  const token = await platform.issuer.token({
    subject: "demo",
    scopes: ["exchange:read", "exchange:write"],
    cases: [sourceCaseId, destinationCaseId],
  });
  const client = createClient(platform.engineUrl, token);
  const outsider = await openOutsider(platform);
  try {
    const before = await stage("Outsider: remembering both cases and the account", () => takeFingerprint(outsider));
    const view = await stage(`Exchange: case ${sourceCaseId} → case ${destinationCaseId}`, async (progress) => {
      const exchangeId = await start(client, {
        sourceCaseId,
        destinationCaseId,
        batchId,
        selection,
        includeNatives: true,
        ...(annotated && { annotations: choices }),
      });
      progress(`POST /exchanges → 202, exchange ${exchangeId}`);
      return client.follow(exchangeId, (seen) => progress(progressLine(seen)), signal);
    });
    const verdict = await stage("Outsider: reading both cases and listing the account", () =>
      checkExchange(outsider, before, [
        {
          exchangeId: view.exchangeId,
          documentIds: expectedDocumentIds,
          includeNatives: true,
          metadata: metadataKinds,
          ...(annotated && { annotated: { choices, batchId, destinationCaseId, reviewed, picturesDir } }),
        },
      ]),
    );
    const failures = view.documents.failed > 0 ? await readFailures(client, view.exchangeId) : [];
    return { view, verdict: withFailures(verdict, view, failures) };
  } finally {
    await outsider.close();
  }
}

async function start(client: Client, body: Record<string, unknown>): Promise<string> {
  const answer = await client.request("POST", "/exchanges", { body });
  const { exchangeId } = (answer.body ?? {}) as { exchangeId?: unknown };
  if (answer.status === 202 && typeof exchangeId === "string") return exchangeId;
  throw new PlatformInputError("REFUSED", `the engine answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

function report(view: ExchangeView, verdict: CheckResult): void {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const { selected, copied, notFound, failed } = verdict.documents;
  if (view.state !== "FINISHED") {
    say(`The exchange ended ${view.state}: ${view.failure?.code ?? ""}: ${view.failure?.message ?? ""}`);
    say(`Resources left on AWS: ${verdict.leftovers}. Logs of this run: ${defaultRunDir}/logs`);
    return;
  }
  for (const problem of verdict.problems.slice(0, 50)) say(`✖ ${problem}`);
  if (verdict.problems.length > 50) say(`… and ${verdict.problems.length - 50} more`);
  for (const { message } of view.warnings ?? []) say(`note: ${message}`);
  if (verdict.annotations) {
    const { branded, layers, comments, redactionsProven, leaks } = verdict.annotations;
    say(
      `Annotations: ${branded} are part of their pages, ${layers} travel as layers, ${comments} comments in threads; under ` +
        `${redactionsProven} redactions nothing is left, ${leaks} leaks. Pages before and after: ${picturesDir}`,
    );
  }
  if (verdict.problems.length === 0) {
    say(
      `Checked from outside: of ${selected} documents ${copied} arrived whole, ${notFound} had no file, ${failed} failed.`,
    );
    say("Every byte and row is as it must be, the source is untouched, and nothing of the exchange is left on AWS.");
  }
  say(`Logs of this run: ${defaultRunDir}/logs. Next: npm run local, to try the API yourself.`);
}

/** The folder of the user's files, looked through before anything is started for it. */
async function folderOfFiles(path: string): Promise<string> {
  // npm runs scripts in the project's folder; the user's path is relative to his own.
  const folder = resolve(process.env["INIT_CWD"] ?? process.cwd(), path);
  await fileTree(folder);
  return folder;
}

function secondsSince(started: number): number {
  return Math.round((performance.now() - started) / 100) / 10;
}
