/**
 * `npm run build`: what is uploaded to AWS, under `dist/`: one zip per Lambda, and the Glue job with its package.
 *
 * The same sources give the same bytes, in whichever folder and time zone: an unchanged Lambda is never deployed anew.
 */
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { buffer } from "node:stream/consumers";
import { build } from "esbuild";
import { ZipFile } from "yazl";

/** A file that was written: its path relative to the output folder, its size in bytes. */
export interface Artifact {
  path: string;
  bytes: number;
}

export interface BuildOptions {
  /** The folder of the sources; the one of this file by default. */
  root?: string;
  /** Where to write; `dist` in the root by default. What an earlier build left there is removed. */
  outputFolder?: string;
}

/** What a Lambda reads at run time and cannot be bundled: files of packages that lie beside its bundle. */
const assets: Readonly<Record<string, string[]>> = { pre_uploader: ["@embedpdf/pdfium/dist/pdfium.wasm"] };

/** Threads of a Lambda are bundles of their own, which lie beside its bundle. */
const threads: Readonly<Record<string, Record<string, string>>> = {
  pre_uploader: { "pdf-worker": "processors/pre_uploader/pdf-worker/worker.ts" },
};

const gluePackage = "documentexchanger_glue";

/** Builds every artifact. A source that is missing or a warning of the bundler is an error. */
export async function buildArtifacts(options: BuildOptions = {}): Promise<Artifact[]> {
  const { root = import.meta.dirname, outputFolder = join(root, "dist") } = options;
  const names = await lambdaNames(root);
  const contents = await Promise.all([
    bundle(root, names).then((bundles) => Promise.all(names.map((name) => lambdaZip(root, name, bundles)))),
    pythonSources(join(root, "glue"), gluePackage).then(async (modules) => [
      { path: `glue/${gluePackage}.zip`, content: await zip(modules) },
    ]),
    readFile(join(root, "glue", "script.py")).then((content) => [{ path: "glue/script.py", content }]),
  ]);
  return put(contents.flat(), outputFolder);
}

/** Replaces whole files and then removes those of earlier builds, so that builds of the same sources may run at once. */
async function put(contents: Content[], outputFolder: string): Promise<Artifact[]> {
  await mkdir(outputFolder, { recursive: true });
  const fresh = await mkdtemp(join(outputFolder, ".new-"));
  try {
    for (const { path, content } of contents) {
      await mkdir(join(outputFolder, dirname(path)), { recursive: true });
      await writeFile(join(fresh, basename(path)), content);
      await rename(join(fresh, basename(path)), join(outputFolder, path));
    }
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  const kept = new Set(contents.map(({ path }) => path));
  for (const folder of new Set(contents.map(({ path }) => dirname(path)))) {
    const names = await readdir(join(outputFolder, folder));
    const left = names.map((name) => join(folder, name)).filter((path) => !kept.has(path));
    for (const path of left) await rm(join(outputFolder, path), { recursive: true, force: true });
  }
  return contents.map(({ path, content }) => ({ path, bytes: content.length }));
}

/** Every folder of `processors` but the shared one is a Lambda. */
async function lambdaNames(root: string): Promise<string[]> {
  const entries = await readdir(join(root, "processors"), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && entry.name !== "shared");
  return folders.map(({ name }) => name).sort();
}

/**
 * One self-contained file for each Lambda: the AWS SDK too, so that its version is ours and not the runtime's. All are
 * made in one go, for they share most of what has to be parsed.
 */
async function bundle(root: string, names: string[]): Promise<Content[]> {
  const { outputFiles, warnings } = await build({
    absWorkingDir: root,
    entryPoints: names.flatMap((name) => [
      { in: `processors/${name}/handler.ts`, out: name },
      ...Object.entries(threads[name] ?? {}).map(([out, source]) => ({ in: source, out })),
    ]),
    outdir: "dist",
    bundle: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "cjs",
    mainFields: ["module", "main"],
    // Where the bundle lies, in the words of the modules that it is made of.
    define: { "import.meta.dirname": "__dirname", "import.meta.url": "__bundleUrl" },
    banner: { js: 'const __bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
    // Errors are told by their class names: in Step Functions and in logs.
    keepNames: true,
    // Paths in the bundle stay relative to the root, wherever node_modules really lies.
    preserveSymlinks: true,
    logLevel: "silent",
  });
  if (warnings.length > 0) throw new Error(`bundling gave warnings: ${warnings.map(({ text }) => text).join("; ")}`);
  return outputFiles.map(({ path, contents }) => ({ path: basename(path, ".js"), content: contents }));
}

/** The zip of a Lambda; its bundle is under the name that the functions' handler setting has: `handler.handler`. */
async function lambdaZip(root: string, name: string, bundles: readonly Content[]): Promise<Content> {
  const files = { handler: name, ...Object.fromEntries(Object.keys(threads[name] ?? {}).map((one) => [one, one])) };
  const code = Object.entries(files).map(([file, of]) => {
    const made = bundles.find(({ path }) => path === of);
    if (!made) throw new Error(`no bundle of ${of} was made`);
    return { path: `${file}.js`, content: made.content };
  });
  const beside = (assets[name] ?? []).map(async (asset) => ({
    path: basename(asset),
    content: await readFile(join(root, "node_modules", asset)),
  }));
  return { path: `lambdas/${name}.zip`, content: await zip([...code, ...(await Promise.all(beside))]) };
}

/** The modules of a Python package, under its name. */
async function pythonSources(folder: string, name: string): Promise<Content[]> {
  const entries = await readdir(join(folder, name), { recursive: true });
  const files = entries.filter((entry) => entry.endsWith(".py")).map((entry) => join(name, entry));
  return Promise.all(
    files.map(async (file) => ({
      path: file.replaceAll(sep, "/"),
      content: await readFile(join(folder, file)),
    })),
  );
}

/** A file of a zip. */
interface Content {
  path: string;
  content: Uint8Array;
}

/**
 * A zip whose bytes depend on nothing but names and contents. Files are stored as they are: what a compressor makes of
 * them differs from one version of Node to the next.
 */
async function zip(contents: Content[]): Promise<Buffer> {
  const archive = new ZipFile();
  const inOrder = contents.toSorted((one, other) => (one.path < other.path ? -1 : 1));
  for (const { path, content } of inOrder) {
    // The timestamp of this format is a local one: the same wall-clock time in every zone.
    const options = { mtime: new Date(2020, 0, 1), mode: 0o100644, compress: false, forceDosTimestamp: true };
    archive.addBuffer(Buffer.from(content), path, options);
  }
  archive.end();
  return buffer(archive.outputStream);
}

if (import.meta.main) {
  for (const { path, bytes } of await buildArtifacts()) {
    process.stderr.write(`${(bytes / 1024).toFixed(0).padStart(6)} KiB  dist/${path}\n`);
  }
}
