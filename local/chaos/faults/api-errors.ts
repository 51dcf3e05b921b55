import { setTimeout as delay } from "node:timers/promises";
import type { Fault, Struck, Surroundings } from "../scenario.ts";
import type { Call, Interceptor, Moment, Verdict } from "../wires/switchboard.ts";
import { every, trigger, type Trigger } from "./timing.ts";

/** The errors that AWS Fault Injection Service can answer with. */
type ApiError = "internal" | "unavailable" | "throttle";

const share = 10;
/** Longer than the retries of the SDK, so that whoever called learns of it. */
const outageMs = 3_000;
const latencyMs = 150;

/** Errors that are answered instead of what was asked for, everywhere and in windows of time. */
export const apiErrors: readonly Fault[] = [
  ...(["internal", "unavailable", "throttle"] as const).map((error) =>
    fault(`aws:fis:inject-api-${error}-error`, `every ${share}th call of AWS is answered with it`, "all along", () =>
      some("before", (call) => answerOf(error, call)),
    ),
  ),
  ...outages("aws:fis:inject-api-unavailable-error", (call) => answerOf("unavailable", call)),
  ...outages("aws:network:disrupt-connectivity", () => ({ do: "cut" })),
  fault(
    "connection reset before",
    `every ${share}th connection to AWS breaks before the request arrives`,
    "all along",
    () => some("before", () => ({ do: "cut" })),
  ),
  fault(
    "connection reset after",
    `every ${share}th connection to AWS breaks before the answer arrives`,
    "all along",
    () => some("after", () => ({ do: "cut" })),
  ),
  fault("aws:ecs:task-network-latency", `every call of AWS takes ${latencyMs} ms longer`, "all along", slowly),
];

function outages(action: string, verdict: (call: Call) => Verdict): Fault[] {
  const moments: readonly (readonly [string, Trigger])[] = [
    ["at the first queue", { label: /^sqs\.CreateQueue/ }],
    ["at the start of the state machine", { label: /^states\.StartExecution/ }],
    ["at the first event", { label: /^sns\.Publish/ }],
    ["at the first removal", { label: /^(lambda|iam|sqs)\.Delete(?!Message)/ }],
  ];
  const seconds = outageMs / 1000;
  return moments.map(([where, at]) =>
    fault(`${action} ${where}`, `no call of AWS succeeds for ${seconds} s`, where, () => window(at, verdict)),
  );
}

/** What a call is answered is decided by `make`, anew for each run; it has struck when it has answered once. */
function fault(name: string, what: string, at: string, make: () => Interceptor): Fault {
  return {
    name,
    what,
    at,
    begin({ switchboard }: Surroundings): Struck {
      let struck = false;
      const decide = make();
      const end = switchboard.intercept(async (call, moment) => {
        if (call.wire !== "aws") return undefined;
        const verdict = await decide(call, moment);
        struck ||= verdict !== undefined;
        return verdict;
      });
      return { struck: () => struck, end };
    },
  };
}

function some(side: Moment, verdict: (call: Call) => Verdict): Interceptor {
  const due = every(share);
  return (call, moment) => (moment === side && due() ? verdict(call) : undefined);
}

function window(at: Trigger, verdict: (call: Call) => Verdict): Interceptor {
  const due = trigger(at);
  let until: number | undefined;
  return (call, moment) => {
    if (moment !== "before") return undefined;
    if (until === undefined && due(call)) until = performance.now() + outageMs;
    return until !== undefined && performance.now() < until ? verdict(call) : undefined;
  };
}

function slowly(): Interceptor {
  return async (_call, moment) => {
    if (moment !== "before") return undefined;
    await delay(latencyMs);
    return { do: "pass" };
  };
}

const codes = {
  internal: { status: 500, xml: "InternalError", json: "InternalFailure" },
  unavailable: { status: 503, xml: "ServiceUnavailable", json: "ServiceUnavailableException" },
  throttle: { status: 400, xml: "Throttling", json: "ThrottlingException" },
} as const;

/** The error in the words of the service's protocol. */
function answerOf(error: ApiError, { label }: Call): Verdict {
  const { status, xml, json } = codes[error];
  const service = label.split(".")[0] ?? "";
  if (service === "s3") {
    const [code, own] = error === "throttle" ? ["SlowDown", 503] : [xml, status];
    return answer(own, `<?xml version="1.0"?><Error><Code>${code}</Code><Message>injected</Message></Error>`);
  }
  if (["iam", "sns", "sts"].includes(service)) {
    const cause = `<Type>Receiver</Type><Code>${xml}</Code><Message>injected</Message>`;
    return answer(status, `<ErrorResponse><Error>${cause}</Error><RequestId>injected</RequestId></ErrorResponse>`);
  }
  return answer(status, JSON.stringify({ __type: json, message: "injected" }), json);
}

function answer(status: number, body: string, type?: string): Verdict {
  const headers = {
    "content-type": type === undefined ? "text/xml" : "application/x-amz-json-1.0",
    ...(type !== undefined && { "x-amzn-errortype": type }),
  };
  return { do: "answer", status, headers, body };
}
