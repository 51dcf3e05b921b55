import { Listr, ListrLogger, PRESET_TIMER, ProcessOutput, type ListrDefaultRendererLogLevels } from "listr2";
import type { Stage } from "./stage.ts";

/** A {@link Stage} for people: live on a terminal, one line for each step elsewhere. Writes to stderr only. */
export function display(stream: NodeJS.WriteStream = process.stderr): Stage {
  return stream.isTTY ? liveOn(stream) : linesOn(stream);
}

function liveOn(stream: NodeJS.WriteStream): Stage {
  const logger = new ListrLogger<ListrDefaultRendererLogLevels>({ processOutput: new ProcessOutput(stream, stream) });
  return async <T>(title: string, work: Parameters<Stage>[1]) => {
    let result: Promise<unknown> | undefined;
    const list = new Listr(
      [
        {
          title,
          task: async (_context, task) => {
            result = work((message) => (task.output = message));
            await result;
          },
        },
      ],
      {
        registerSignalListeners: false,
        forceTTY: true,
        // Whoever catches the error explains it.
        rendererOptions: { logger, timer: PRESET_TIMER, showErrorMessage: false },
      },
    );
    await list.run();
    return (await result) as T;
  };
}

function linesOn(stream: NodeJS.WriteStream): Stage {
  const say = (line: string) => stream.write(`${line}\n`);
  return async (title, work) => {
    say(`▶ ${title}`);
    const started = performance.now();
    try {
      let last = "";
      const value = await work((message) => {
        if (message !== last) say(`  ${message}`);
        last = message;
      });
      say(`✔ ${title} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
      return value;
    } catch (error) {
      say(`✖ ${title}`);
      throw error;
    }
  };
}
