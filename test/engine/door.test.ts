import { expect } from "chai";
import { useFakeTimers } from "sinon";
import { Door } from "../../engine/deployer/door.ts";

describe("the door to operations", () => {
  /** Memory and clock of a machine that is no real one. */
  const machine = { freeMiB: 0, now: 0 };
  const door = (perMinute = 60_000) =>
    new Door({ perMinute, operationMiB: 500, availableMiB: () => machine.freeMiB, now: () => machine.now });

  /** Work that lasts until it is ended. */
  function lasting() {
    let end = (): void => undefined;
    let began = false;
    const ended = new Promise<void>((resolve) => (end = resolve));
    return {
      work: () => {
        began = true;
        return ended;
      },
      began: () => began,
      end: () => {
        end();
      },
    };
  }
  const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

  beforeEach(() => {
    Object.assign(machine, { freeMiB: 0, now: 0 });
  });

  it("lets one in however little memory there is, and the next when it has gone", async () => {
    const [first, second] = [lasting(), lasting()];
    const at = door();
    const both = [at.through(first.work), at.through(second.work)];
    await soon();
    const before = [first.began(), second.began(), at.inside];

    first.end();
    second.end();
    await Promise.all(both);

    expect([before, second.began(), at.inside]).to.deep.equal([[true, false, 1], true, 0]);
  });

  it("holds memory free for one that still grows", async () => {
    machine.freeMiB = 999;
    const [first, second] = [lasting(), lasting()];
    const at = door();
    const both = [at.through(first.work), at.through(second.work)];
    await soon();
    const growing = second.began();

    machine.now = 10_000;
    second.end();
    await both[1];
    first.end();
    await both[0];

    expect([growing, second.began()]).to.deep.equal([false, true]);
  });

  it("lets in at once as many as there is memory for", async () => {
    machine.freeMiB = 1500;
    const works = [lasting(), lasting(), lasting()];
    const at = door();
    const all = works.map(({ work }) => at.through(work));
    while (at.inside < 3) await soon();

    for (const { end } of works) end();

    await Promise.all(all);
    expect(at.inside).to.equal(0);
  });

  it("turns away one that was cancelled while it waited", async () => {
    const [first, second] = [lasting(), lasting()];
    const cancel = new AbortController();
    const at = door();
    const inside = at.through(first.work);
    const waiting = at.through(second.work, cancel.signal);
    await soon();

    cancel.abort();
    const turnedAway = await waiting;
    first.end();
    await inside;

    expect([turnedAway, second.began()]).to.deep.equal([null, false]);
  });

  it("lets no more in than the rate allows", async () => {
    const clock = useFakeTimers({
      now: Date.parse("2026-01-01"),
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"],
    });
    try {
      machine.freeMiB = 10_000;
      const at = door(300);
      let passed = 0;
      const work = () => {
        passed++;
        return Promise.resolve();
      };
      const all = [at.through(work), at.through(work), at.through(work)];
      const seen: number[] = [];
      for (const ms of [1, 150, 100, 100, 100]) {
        await clock.tickAsync(ms);
        seen.push(passed);
      }

      await Promise.all(all);
      expect(seen).to.deep.equal([1, 1, 2, 2, 3]);
    } finally {
      clock.restore();
    }
  });

  it("goes on after work that failed", async () => {
    const at = door();
    const failed = await at.through(() => Promise.reject(new Error("no"))).catch((error: unknown) => String(error));

    expect([failed, await at.through(() => Promise.resolve("yes"))]).to.deep.equal(["Error: no", "yes"]);
  });
});
