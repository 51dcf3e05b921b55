import type { Bug } from "./bug.ts";

/** Mistakes in the Lambdas. */
export const processorBugs: readonly Bug[] = [
  {
    name: "Failed[] of a batch send is ignored",
    breaks: "messages that SQS refused are lost",
    edits: [{ file: "processors/shared/send.ts", find: "return answer.Failed ?? [];", replace: "return [];" }],
    row: "fault batch sends refused in part",
    by: ["I4"],
    shows: /has failed in stage copy/,
  },
  {
    name: "batchItemFailures always empty",
    breaks: "a message that failed is deleted as if it had been worked off",
    edits: [
      {
        file: "processors/shared/batch_handler.ts",
        find: `      if (redelivery) await hasten(redelivery, record, log);\n      throw error;\n`,
        replace: "      return;\n",
      },
    ],
    row: "fault Lambda refused: s3_copy_lambda at s3:PutObject",
    by: ["I4"],
    shows: /has failed in stage copy/,
  },
  {
    name: "a copy that was there is not told of again",
    breaks: "a file whose copier died after the copy is never reported",
    edits: [
      {
        file: "processors/s3_copy/process.ts",
        find: "  if (!source) return tellMissing(to, message);\n",
        replace: `  if (!source) return tellMissing(to, message);\n  if (earlier) throw new AlreadyDone("ALREADY_COPIED", "it lay there before");\n`,
      },
    ],
    row: "fault Lambda killed: s3_copy_lambda at s3:PutObject 3",
    by: ["I4"],
    shows: /is reported as failed by stage copy, and is in truth done/,
  },
  {
    name: "files that are missing are told to be copied",
    breaks: "a document without its file counts as copied",
    edits: [
      {
        file: "processors/ledger/entries.ts",
        find: `entries(event, "not_found", fromWhereItSpeaks)`,
        replace: `entries(event, "done", fromWhereItSpeaks)`,
      },
    ],
    row: "clean",
    by: ["I4", "I8"],
    shows: /is reported as done by stage copy, and is in truth not_found/,
  },
];
