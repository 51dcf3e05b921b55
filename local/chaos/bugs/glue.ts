import type { Bug } from "./bug.ts";

const folder = "glue/documentexchanger_glue";

/** Mistakes in the record copy. */
export const glueBugs: readonly Bug[] = [
  {
    name: "manifest lacks a document",
    breaks: "files of a document whose records were copied never travel",
    edits: [
      {
        file: `${folder}/server_side.py`,
        find: "in sorted(told[ROOT].items())\n",
        replace: "in sorted(told[ROOT].items())[1:]\n",
      },
    ],
    row: "clean",
    by: ["I2", "I4"],
    shows: /is missing in the manifest/,
  },
  {
    name: "a task that is done again gives new ids",
    breaks: "a copy that died after a commit copies the same rows once more",
    edits: [
      {
        file: `${folder}/server_side.py`,
        find: "    check_in(target, work.settings.exchange_id, task.chunk.number, moved)\n",
        replace: "",
      },
      {
        file: `${folder}/server_side.py`,
        find: "ids, is_fresh = task.ids, True\n",
        replace: "ids, is_fresh = IdRange(), True\n",
      },
      {
        file: `${folder}/server_sql.py`,
        find: `[*self.travels, "own.target_id IS NULL"]`,
        replace: "[*self.travels]",
      },
      {
        file: `${folder}/server_sql.py`,
        find: `f" FROM ({without_ids}) w"`,
        replace: `f" FROM ({without_ids}) w ON DUPLICATE KEY UPDATE target_id = VALUES(target_id)"`,
      },
    ],
    row: "fault Glue run killed after commit 100",
    by: ["I3"],
    shows: /came with no selected row/,
  },
  {
    name: "folders are merged without a look",
    breaks: "folders that the destination has are added once more",
    edits: [
      {
        file: `${folder}/merge.py`,
        find: "    if not table.natural_key:\n        return None\n",
        replace: `    if not table.natural_key or table.name == "folder_tags":\n        return None\n`,
      },
    ],
    row: "clean",
    by: ["I3"],
    shows: /^folder_tags .* is there 2 times/,
  },
  {
    name: "confidentiality bits keep their places",
    breaks: "documents carry codes that they never had",
    edits: [
      {
        file: `${folder}/derive_sql.py`,
        find: "moved[there - bit] = moved.get(there - bit, 0) | 1 << bit",
        replace: "moved[0] = moved.get(0, 0) | 1 << bit",
      },
    ],
    row: "clean",
    by: ["I3"],
    shows: /confidentiality_status/,
  },
  {
    name: "source is written",
    breaks: "the case that is copied from is not what it was",
    edits: [
      {
        file: `${folder}/job.py`,
        find: `        patiently(partial(finish, settings), "finishing")\n`,
        replace: `        patiently(partial(finish, settings), "finishing")\n        from .db import execute\n        with target_of(settings) as target:\n            execute(target, f"UPDATE {settings.source_schema}.custodians SET email = 'x' LIMIT 1")\n`,
      },
    ],
    row: "clean",
    by: ["I6"],
    shows: /source row custodians/,
  },
];
