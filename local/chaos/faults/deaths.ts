import { setTimeout as delay } from "node:timers/promises";
import { commandLine, descendants, killAll } from "../processes.ts";
import type { Fault, Struck, Surroundings } from "../scenario.ts";
import type { Call, Moment, Verdict } from "../wires/switchboard.ts";
import { atCommit } from "./glue.ts";
import { trigger, type Trigger } from "./timing.ts";

const downMs = 1_000;

/** Pulumi's process and its children die between an answer of AWS and the state that would know of it. */
export const deadOperations: readonly Fault[] = [
  ["a queue was made", /^sqs\.CreateQueue/],
  ["a role was made", /^iam\.CreateRole\b/],
  ["a log group was made", /^logs\.CreateLogGroup/],
  ["a function was made", /^lambda\.CreateFunction/],
  ["a mapping was made", /^lambda\.CreateEventSourceMapping/],
  ["a mapping was disabled", /^lambda\.UpdateEventSourceMapping/],
  ["a function was removed", /^lambda\.DeleteFunction/],
  ["a queue was removed", /^sqs\.DeleteQueue/],
].map(([when, label]) => ({
  name: `Pulumi killed when ${String(when)}`,
  what: "the operation's process group is killed between AWS's answer and the write of the state",
  at: String(when),
  begin: (surroundings: Surroundings) =>
    once(surroundings, { label: label as RegExp }, "after", () => {
      const { pid } = surroundings.engine;
      const children = pid === undefined ? [] : descendants(pid);
      killAll(children.filter((child) => child.group === child.pid || /deployer|pulumi/.test(commandLine(child.pid))));
      return { do: "cut" };
    }),
}));

/** The database server dies and comes back after a second. */
export const deadDatabases: readonly Fault[] = [
  ...[
    ["at the intent of an operation", /^sql\.insert operations/],
    ["at the start of the state machine", /^states\.StartExecution/],
    ["when the end of the payload is heard", /^sqs\.ReceiveMessage\(.*PAYLOAD_CONSTRUCTION_FINISHED/],
    ["at the first removal", /^(lambda|iam|sqs)\.Delete(?!Message)/],
  ].map(([where, label]) => ({
    name: `aws:rds:reboot-db-instances ${String(where)}`,
    what: `the database server is killed, and is back after ${downMs / 1000} s`,
    at: String(where),
    begin: (surroundings: Surroundings) =>
      once(surroundings, { label: label as RegExp }, "after", () => crash(surroundings)),
  })),
  {
    name: "aws:rds:reboot-db-instances while records are copied",
    what: `the database server is killed, and is back after ${downMs / 1000} s`,
    at: "commit 56",
    begin: (surroundings) => atCommit(surroundings, 56, () => crash(surroundings)),
  },
];

async function crash({ cloud }: Surroundings): Promise<Verdict> {
  await cloud.database.kill();
  await delay(downMs);
  await cloud.database.revive();
  return { do: "pass" };
}

/** Two leases of the lane's engines and a bit. */
const pauseMs = 5_000;

/** The engine stands still for longer than its lease while another one runs, and then goes on as if nothing had been. */
export const pauses: readonly Fault[] = [
  ["while a stack is made", /^sqs\.CreateQueue/, "after"],
  ["before the state machine is started", /^states\.StartExecution/, "before"],
  ["after the state machine was started", /^states\.StartExecution/, "after"],
  ["before the uploader is told", /^sqs\.SendMessage\(.*: consume/, "before"],
  ["while the copy's report is read", /^s3\.GetObject\(.*report\.json/, "before"],
  ["before an event leaves", /^sns\.Publish\(EXCHANGER_DELETE_INITIATED/, "before"],
  ["before the end is written", /^sql\..*to_state=FINISHED/, "before"],
].map(([where, label, moment]) => ({
  name: `paused engine ${String(where)}`,
  what: `the engine is stopped for ${pauseMs / 1000} s, longer than its lease, and another one runs`,
  at: String(where),
  begin: (surroundings: Surroundings) => pause(surroundings, { label: label as RegExp }, moment as Moment),
}));

async function pause(surroundings: Surroundings, at: Trigger, side: Moment): Promise<Struck> {
  const { engine, switchboard } = surroundings;
  const second = await surroundings.secondEngine();
  const due = trigger(at);
  let over: Promise<void> | undefined;
  const end = switchboard.intercept((call, moment) => {
    if (moment === side && !over && due(call)) {
      engine.pause();
      over = second
        .start()
        .then(() => delay(pauseMs))
        .finally(() => {
          engine.resume();
        });
    }
    return undefined;
  });
  return {
    struck: () => over !== undefined,
    end: async () => {
      end();
      await over;
      await second.stop();
    },
  };
}

type Strike = (call: Call) => Verdict | Promise<Verdict>;

function once({ switchboard }: Surroundings, at: Trigger, side: Moment, strike: Strike): Struck {
  const due = trigger(at);
  let struck = false;
  const end = switchboard.intercept((call, moment) => {
    if (struck || moment !== side || !due(call)) return undefined;
    struck = true;
    return strike(call);
  });
  return { struck: () => struck, end };
}
