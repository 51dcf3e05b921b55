import { fileURLToPath } from "node:url";

/** The files that a worker is made of, where Node runs the sources: local runs, tests and benchmarks. */
export function workerFilesOfSources(): { script: string; wasm: string } {
  return {
    script: fileURLToPath(new URL("worker.ts", import.meta.url)),
    wasm: fileURLToPath(import.meta.resolve("@embedpdf/pdfium/pdfium.wasm")),
  };
}
