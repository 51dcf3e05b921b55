import {
  BatchStopJobRunCommand,
  paginateGetJobRuns,
  StartJobRunCommand,
  type GlueClient,
  type JobRun,
} from "@aws-sdk/client-glue";
import type { CopyRun } from "../exchange/observed.ts";

/** The arguments by which a run is known. */
const exchangeArgument = "--exchange_id";
const removeArgument = "--remove";

/** Clocks may differ by so much. */
const toleranceMs = 5 * 60_000;
/** Glue takes no more ids at once. */
const mostIds = 25;

const active: readonly string[] = ["STARTING", "RUNNING", "WAITING"];

/** Every run of the job for an exchange, oldest first; none can be older than the exchange. Glue lists newest first. */
export async function runsOf(
  glue: GlueClient,
  jobName: string,
  exchangeId: string,
  createdAt: Date,
): Promise<CopyRun[]> {
  const runs: CopyRun[] = [];
  for await (const page of paginateGetJobRuns({ client: glue }, { JobName: jobName })) {
    const listed = page.JobRuns ?? [];
    runs.unshift(
      ...listed
        .filter((run) => run.Arguments?.[exchangeArgument] === exchangeId)
        .map(toRun)
        .reverse(),
    );
    const oldest = listed.at(-1)?.StartedOn;
    if (oldest && oldest.getTime() < createdAt.getTime() - toleranceMs) break;
  }
  return runs;
}

function toRun(run: JobRun): CopyRun {
  const state = run.JobRunState ?? "";
  return {
    id: run.Id ?? "",
    state: active.includes(state)
      ? "active"
      : state === "STOPPING"
        ? "stopping"
        : state === "SUCCEEDED"
          ? "succeeded"
          : "failed",
    removes: run.Arguments?.[removeArgument] === "true",
    endedAt: run.CompletedOn ?? null,
    error: run.ErrorMessage ?? null,
  };
}

/** Asks runs to stop; one that has ended meanwhile is fine, since the next look shows it. */
export async function stopRuns(glue: GlueClient, jobName: string, runIds: readonly string[]): Promise<void> {
  for (let from = 0; from < runIds.length; from += mostIds) {
    const JobRunIds = runIds.slice(from, from + mostIds);
    await glue.send(new BatchStopJobRunCommand({ JobName: jobName, JobRunIds }));
  }
}

/**
 * Starts a run that takes out what the copy with these arguments wrote. Glue knows no idempotency token: whoever calls
 * this has looked for such a run before, and two at once do no harm, since a removal may be repeated.
 */
export async function startRemoval(
  glue: GlueClient,
  jobName: string,
  copyArguments: Readonly<Record<string, string>>,
): Promise<void> {
  await glue.send(
    new StartJobRunCommand({ JobName: jobName, Arguments: { ...copyArguments, [removeArgument]: "true" } }),
  );
}
