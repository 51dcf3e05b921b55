/** `npm run local`: everything runs until Ctrl-C, which stops and cleans up all of it. */
import { once } from "node:events";
import { display } from "../platform/display.ts";
import { startPlatform, type Platform } from "../platform/platform.ts";
import { explain, onInterrupt } from "../platform/terminal.ts";

const stage = display();
const interrupt = onInterrupt();

try {
  const platform = await startPlatform({ stage, signal: interrupt.signal });
  process.stdout.write(await instructions(platform));
  if (!interrupt.signal.aborted) await once(interrupt.signal, "abort");
  await stage("Stopping everything", () => platform.stop());
} catch (error) {
  process.exitCode = explain(error, interrupt.signal);
}
interrupt.dispose();

async function instructions({ engineUrl, issuer, cases, cloud }: Platform): Promise<string> {
  const { sourceCaseId, destinationCaseId, selection } = cases;
  const token = await issuer.token({
    subject: "local",
    scopes: ["exchange:read", "exchange:write", "exchange:operate"],
    cases: "*",
  });
  const body = { sourceCaseId, destinationCaseId, batchId: "first", selection, includeNatives: true };
  return `
Everything runs. Ctrl-C stops it and removes what it made.

  URL    ${engineUrl}
  logs   ${cloud.logDir}
  token  ${token}

An exchange of case ${sourceCaseId} into case ${destinationCaseId}:

  TOKEN='${token}'
  curl -s -X POST ${engineUrl}/exchanges -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \\
    -d '${JSON.stringify(body)}'

Then watch it, and look at its stack while it lives:

  curl -s ${engineUrl}/exchanges -H "authorization: Bearer $TOKEN"
  npm run pulumi -- stack ls
`;
}
