import { cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");

/** Where the Pulumi project of a local cloud lies. */
export function projectDir(runDir: string): string {
  return join(runDir, "project");
}

/**
 * The clone's Pulumi project, with copies of its stack configurations: `pulumi stack init` writes an encryption salt
 * into them, which must not end up in the clone.
 */
export async function makeProject(runDir: string): Promise<void> {
  const folder = projectDir(runDir);
  await mkdir(folder, { recursive: true });
  await cp(join(root, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
  await cp(join(root, "stacks"), join(folder, "stacks"), { recursive: true });
  for (const name of ["programs", "package.json", "node_modules"]) await symlink(join(root, name), join(folder, name));
}
