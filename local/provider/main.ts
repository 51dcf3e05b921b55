import { serve } from "./server.ts";

const server = await serve();

// Pulumi interrupts us when its work is saved. It runs us in a process group of our own: a terminal's Ctrl-C goes to
// Pulumi alone, which then asks us to cancel.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(0));

// Pulumi passes its own address, and our standard input ends when it does: nothing of ours may outlive it.
const engineAddress = process.argv[2];
if (engineAddress !== undefined) process.stdin.on("end", () => process.exit(0)).resume();

process.stdout.write(`${server.port}\n`);
