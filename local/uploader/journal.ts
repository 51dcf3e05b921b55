import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { uploaderCommand, type UploaderCommand } from "../../contracts/messages.ts";
import { exchangeId, rowId } from "../../contracts/ids.ts";
import { wireError } from "../../contracts/errors.ts";

/** How the loading of one document ended for good. */
export const outcome = z.discriminatedUnion("status", [
  z.strictObject({ status: z.literal("SUCCESS"), pages: z.int().nonnegative().nullable(), at: z.iso.datetime() }),
  z.strictObject({ status: z.literal("ERROR"), error: wireError, at: z.iso.datetime() }),
]);
export type Outcome = z.infer<typeof outcome>;

const entry = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("command"), command: uploaderCommand }),
  z.strictObject({ kind: z.literal("document"), exchangeId, fileId: rowId, outcome }),
]);
type Entry = z.infer<typeof entry>;

type Consume = Extract<UploaderCommand, { kind: "consume" }>;

/**
 * What the uploader must still know after it was killed: whose queues it consumes and which documents it has loaded.
 * One JSON line a fact, only ever appended.
 */
export class Journal {
  readonly #file: string;
  readonly #consumed = new Map<string, Consume>();
  readonly #outcomes = new Map<string, Outcome>();

  private constructor(file: string) {
    this.#file = file;
  }

  static async open(file: string): Promise<Journal> {
    const journal = new Journal(file);
    await mkdir(dirname(file), { recursive: true });
    const lines = (await readIfThere(file)).split("\n");
    // A line that a kill cut short says nothing: its fact is learned anew from the redelivered message.
    if (lines.at(-1) !== "") await appendFile(file, "\n");
    for (const line of lines) {
      const parsed = entry.safeParse(parseJson(line));
      if (parsed.success) journal.#apply(parsed.data);
    }
    return journal;
  }

  /** The exchanges whose queues are to be consumed. */
  get consumed(): Consume[] {
    return [...this.#consumed.values()];
  }

  outcomeOf(exchangeId: string, fileId: string): Outcome | undefined {
    return this.#outcomes.get(`${exchangeId} ${fileId}`);
  }

  async command(command: UploaderCommand): Promise<void> {
    await this.#append({ kind: "command", command });
  }

  async document(exchangeId: string, fileId: string, outcome: Outcome): Promise<void> {
    await this.#append({ kind: "document", exchangeId, fileId, outcome });
  }

  async #append(fact: Entry): Promise<void> {
    await appendFile(this.#file, `${JSON.stringify(fact)}\n`);
    this.#apply(fact);
  }

  #apply(fact: Entry): void {
    if (fact.kind === "document") this.#outcomes.set(`${fact.exchangeId} ${fact.fileId}`, fact.outcome);
    else if (fact.command.kind === "consume") this.#consumed.set(fact.command.exchange.exchangeId, fact.command);
    else this.#consumed.delete(fact.command.exchange.exchangeId);
  }
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
