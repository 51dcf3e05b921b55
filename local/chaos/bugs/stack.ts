import type { Bug } from "./bug.ts";

/** Mistakes in what drives Pulumi, and in the programs. */
export const stackBugs: readonly Bug[] = [
  {
    name: "an operation that died is not recovered",
    breaks: "lock and pending creates of a dead operation stay, and nobody can work on its stack",
    edits: [
      {
        file: "engine/deployer/child.ts",
        find: "  await stack.cancel();\n  await stack.refresh({ ...options, clearPendingCreates: true });\n",
        replace: "",
      },
    ],
    row: "kill after sqs.CreateQueue(s3_copy_queue)#1 of the host",
    by: ["I1", "I5"],
    shows: /has not ended|left over/,
  },
  {
    name: "stack removed without its backups",
    breaks: "state of stacks that are gone stays in the backend",
    edits: [{ file: "engine/deployer/child.ts", find: `"--remove-backups", `, replace: "" }],
    row: "clean",
    by: ["I5"],
    shows: /of Pulumi's backend/,
  },
  {
    name: "work folders stay",
    breaks: "the disk of the engine's host fills",
    edits: [
      {
        file: "engine/deployer/folders.ts",
        find: "  await rm(folder, { recursive: true, force: true });\n  await rm(selectionFile(folder, environment), { force: true });\n",
        replace: "",
      },
    ],
    row: "clean",
    by: ["I5"],
    shows: /work folder/,
  },
  {
    name: "resources without the exchange's tag",
    breaks: "nothing finds what Pulumi's state does not know",
    edits: [
      {
        file: "programs/components/provider.ts",
        find: "{ exchangeId: args.exchangeId }",
        replace: "{ exchange: args.exchangeId }",
      },
    ],
    row: "kill after iam.CreateRole(s3_copy_role)#1 of the host",
    by: ["I5"],
    shows: /left over: role/,
  },
];
