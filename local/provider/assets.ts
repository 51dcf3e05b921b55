import { readFile, readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { buffer } from "node:stream/consumers";
import yazl from "yazl";
import { InvalidInputError } from "../../contracts/errors.ts";
import { isArchive, isAsset, isBag, type Bag } from "./values.ts";

/** The same files give the same bytes: their times and modes do not travel. */
const zipOptions = { mtime: new Date(1980, 0, 1), mode: 0o100644 };

/** The bytes that an asset stands for; an archive becomes a zip. Relative paths start at the program's folder. */
export async function bytesOf(value: Bag): Promise<Uint8Array> {
  const path = value["path"];
  if (isAsset(value)) {
    if (typeof value["text"] === "string") return Buffer.from(value["text"]);
    if (typeof path === "string") return readFile(path);
  }
  if (isArchive(value)) {
    if (typeof path === "string" && /\.(zip|jar)$/i.test(path)) return readFile(path);
    return zip(await filesOf(value));
  }
  throw new InvalidInputError(
    "ASSET",
    `an asset of this kind is not supported by the local provider: ${Object.keys(value).join(", ")}`,
  );
}

/** Content by name inside the archive. */
async function filesOf(archive: Bag): Promise<Map<string, Uint8Array>> {
  if (typeof archive["path"] === "string") return filesIn(archive["path"]);
  const files = new Map<string, Uint8Array>();
  for (const [name, member] of Object.entries(isBag(archive["assets"]) ? archive["assets"] : {})) {
    if (isAsset(member)) files.set(name, await bytesOf(member));
    else if (isArchive(member))
      for (const [inner, bytes] of await filesOf(member)) files.set(`${name}/${inner}`, bytes);
  }
  return files;
}

async function filesIn(folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(folder, path).split(sep).join("/"), await readFile(path));
  }
  return files;
}

async function zip(files: Map<string, Uint8Array>): Promise<Uint8Array> {
  const archive = new yazl.ZipFile();
  for (const name of [...files.keys()].sort()) archive.addBuffer(Buffer.from(files.get(name) ?? []), name, zipOptions);
  archive.end();
  return buffer(archive.outputStream);
}
