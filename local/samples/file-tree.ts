import type { Dirent, Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { sep } from "node:path";
import { InvalidInputError } from "../../contracts/errors.ts";

/** A regular file below a folder. Paths are bytes: a name need not be UTF-8. */
export interface FoundFile {
  path: Buffer;
  /** Names of the folders from the top down to the file, then its own. */
  names: readonly string[];
  size: number;
}

export interface FileTree {
  files: FoundFile[];
  /** What was left out, and why: links that lead out of the folder, and what is neither file nor folder. */
  skipped: string[];
}

const slash = Buffer.from(sep);

/**
 * Every regular file below `directory`, in the order of their names' bytes. Links to files inside are followed.
 * @throws InvalidInputError NO_DIRECTORY, NO_FILES, UNREADABLE
 */
export async function fileTree(directory: string): Promise<FileTree> {
  const root = await readable(directory, () => realpath(directory, "buffer"), "NO_DIRECTORY");
  const tree: FileTree = { files: [], skipped: [] };
  await walk(root, root, [], tree);
  if (!tree.files.length) {
    throw new InvalidInputError("NO_FILES", `there is no file in '${directory}': name a folder that has some`);
  }
  return tree;
}

async function walk(root: Buffer, folder: Buffer, names: readonly string[], tree: FileTree): Promise<void> {
  const options = { withFileTypes: true, encoding: "buffer" } as const;
  const entries = await readable(folder.toString(), () => readdir(folder, options), "UNREADABLE");
  for (const entry of entries.sort((a, b) => Buffer.compare(a.name, b.name))) {
    const path = Buffer.concat([folder, slash, entry.name]);
    const below = [...names, entry.name.toString()];
    if (entry.isDirectory()) await walk(root, path, below, tree);
    else {
      const size = await sizeOfFile(root, path, entry);
      if (size === undefined) tree.skipped.push(below.join("/"));
      else tree.files.push({ path, names: below, size });
    }
  }
}

/** Undefined for what is no file of this tree. */
async function sizeOfFile(root: Buffer, path: Buffer, entry: Dirent<Buffer>): Promise<number | undefined> {
  const status = async (): Promise<Stats> => await readable(path.toString(), () => stat(path), "UNREADABLE");
  if (entry.isFile()) return (await status()).size;
  if (!entry.isSymbolicLink()) return undefined;
  const target = await realpath(path, "buffer").catch(() => undefined);
  if (!target?.subarray(0, root.length + 1).equals(Buffer.concat([root, slash]))) return undefined;
  const found = await status();
  return found.isFile() ? found.size : undefined;
}

async function readable<T>(name: string, read: () => Promise<T>, code: string): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InvalidInputError(code, `'${name}' cannot be read (${reason}): check that it exists and may be read`, {
      cause: error,
    });
  }
}
