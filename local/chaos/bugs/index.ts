import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PermanentError } from "../../../contracts/errors.ts";
import type { Bug, Edit } from "./bug.ts";
import { engineBugs } from "./engine.ts";
import { glueBugs } from "./glue.ts";
import { processorBugs } from "./processors.ts";
import { stackBugs } from "./stack.ts";

export type { Bug } from "./bug.ts";

/** Known bugs: each of them has to be caught, or a run without violations says nothing. */
export const bugs: readonly Bug[] = [...engineBugs, ...stackBugs, ...processorBugs, ...glueBugs];

const project = join(import.meta.dirname, "..", "..", "..");
/** What a project needs to run, but for its packages. */
const parts = [
  ...["contracts", "engine", "programs", "processors", "glue", "stacks", "local"],
  ...["build.ts", "Pulumi.yaml", "package.json", "package-lock.json", "tsconfig.json"],
];

/** A project of its own that has the bug. */
export interface Tree {
  readonly root: string;
  remove(): Promise<void>;
}

/** Copies the project, and makes the mistake in the copy. */
export async function plant({ edits }: Bug): Promise<Tree> {
  const root = await mkdtemp(join(tmpdir(), "exchanger-bug-"));
  const remove = () => rm(root, { recursive: true, force: true });
  try {
    for (const part of parts) await cp(join(project, part), join(root, part), { recursive: true });
    await symlink(join(project, "node_modules"), join(root, "node_modules"));
    for (const edit of edits) {
      const file = join(root, edit.file);
      await writeFile(file, made(edit, await readFile(file, "utf8")));
    }
    return { root, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The file's text with the mistake in it. Throws when the list is not true any more. */
export function made({ file, find, replace }: Edit, text: string): string {
  const pieces = text.split(find);
  if (pieces.length !== 2) {
    throw new PermanentError(
      "BUG_DOES_NOT_FIT",
      `'${find.trim()}' stands ${pieces.length - 1} times in ${file}: put the list of seeded bugs right`,
    );
  }
  return pieces.join(replace);
}
