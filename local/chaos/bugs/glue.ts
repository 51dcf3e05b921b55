import type { Bug } from "./bug.ts";

const folder = "glue/documentexchanger_glue";

/** Mistakes in the record copy. */
export const glueBugs: readonly Bug[] = [
  {
    name: "manifest lacks a document",
    breaks: "files of a document whose records were copied never travel",
    edits: [
      {
        file: `${folder}/manifest.py`,
        find: "for document in sorted(here)\n",
        replace: "for document in sorted(here)[1:]\n",
      },
    ],
    row: "clean",
    by: ["I2", "I4"],
  },
  {
    name: "id map is written after the rows",
    breaks: "a copy that dies between the two copies the rows once more",
    edits: [
      {
        file: `${folder}/writing.py`,
        find: "        record(target, exchange_id, table.name, pairs)\n        for values in _statements(table, missing, most):\n            execute(target, head + values)\n",
        replace:
          "        for values in _statements(table, missing, most):\n            execute(target, head + values)\n    with transaction(target):\n        record(target, exchange_id, table.name, pairs)\n",
      },
    ],
    row: "fault Glue run killed after commit 25",
    by: ["I3"],
  },
  {
    name: "names are merged without a look",
    breaks: "custodians, codes and labels that the destination has are added once more",
    edits: [
      {
        file: `${folder}/merge.py`,
        find: "    if not table.natural_key:\n        return None\n",
        replace: `    if not table.natural_key or table.name == "custodians":\n        return None\n`,
      },
    ],
    row: "clean",
    by: ["I1", "I3"],
  },
  {
    name: "confidentiality bits keep their places",
    breaks: "documents carry codes that they never had",
    edits: [
      {
        file: `${folder}/confidentiality.py`,
        find: "sum({1 << bits[bit] for bit in found if bit in bits})",
        replace: "sum({1 << bit for bit in found if bit in bits})",
      },
    ],
    row: "clean",
    by: ["I3"],
  },
  {
    name: "source is written",
    breaks: "the case that is copied from is not what it was",
    edits: [
      {
        file: `${folder}/job.py`,
        find: `            patiently(partial(finish, settings), "finishing")\n`,
        replace: `            patiently(partial(finish, settings), "finishing")\n            execute(guard, f"UPDATE {settings.source_schema}.custodians SET email = 'x' LIMIT 1")\n`,
      },
    ],
    row: "clean",
    by: ["I6"],
  },
];
