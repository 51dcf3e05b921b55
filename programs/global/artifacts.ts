import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { InvalidInputError } from "../../contracts/errors.ts";

/** The Lambdas, by the names of their bundles. */
export const bundleNames = [
  "s3_copy",
  "pre_uploader",
  "re_ocr",
  "search_text",
  "payload",
  "status_update",
  "ledger",
  "dead_letter",
] as const;
export type BundleName = (typeof bundleNames)[number];

export interface Artifact {
  path: string;
  sha256Base64: string;
}

export interface Artifacts {
  bundles: Record<BundleName, Artifact>;
  glueScript: Artifact;
  gluePackage: Artifact;
}

/** What `npm run build` made in `folder`. Nothing is built here: throws `NOT_BUILT` when something is missing. */
export function readArtifacts(folder: string): Artifacts {
  const artifact = (...path: string[]): Artifact => {
    const file = join(folder, ...path);
    try {
      return { path: file, sha256Base64: createHash("sha256").update(readFileSync(file)).digest("base64") };
    } catch (error) {
      throw new InvalidInputError("NOT_BUILT", `${file} cannot be read: run \`npm run build\` first`, { cause: error });
    }
  };
  const bundles = Object.fromEntries(bundleNames.map((name) => [name, artifact("lambdas", `${name}.zip`)]));
  return {
    bundles: bundles as Record<BundleName, Artifact>,
    glueScript: artifact("glue", "script.py"),
    gluePackage: artifact("glue", "documentexchanger_glue.zip"),
  };
}
