import { expect } from "chai";
import { allEnded, inTurn } from "../../local/samples/in-turn.ts";

/** Ends when it is released. */
function gate<T>(): { promise: Promise<T>; open: (value: T) => void; fail: (error: Error) => void } {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  return { promise, open: resolve, fail: reject };
}

const caught = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("work on many things while a case is made", () => {
  it("gives results in the order of the items, whichever ends first", async () => {
    const gates = [gate<string>(), gate<string>()];
    const results = inTurn([0, 1], 2, (index) => gates[index]?.promise ?? Promise.resolve(""));
    gates[1]?.open("b");
    await turn();
    gates[0]?.open("a");

    expect(await results).to.deep.equal(["a", "b"]);
  });

  it("begins nothing after the first failure, and throws it once all that was under way has ended", async () => {
    const [slow, fault] = [gate<undefined>(), new Error("no space left")];
    const begun: number[] = [];
    let isOver = false;
    const work = caught(
      inTurn([0, 1, 2, 3], 2, (item) => {
        begun.push(item);
        return item === 0 ? Promise.reject(fault) : slow.promise;
      }),
    ).finally(() => (isOver = true));
    await turn();
    const before = isOver;
    slow.open(undefined);

    expect([await work, begun.includes(3), before]).to.deep.equal([fault, false, false]);
  });

  it("throws the first failure of several works when the last of them has ended", async () => {
    const [slow, first, second] = [gate<undefined>(), new Error("first"), gate<undefined>()];
    let isOver = false;
    const work = caught(allEnded([slow.promise, Promise.reject(first), second.promise])).finally(() => (isOver = true));
    second.fail(new Error("second"));
    await turn();
    const before = isOver;
    slow.open(undefined);

    expect([await work, before]).to.deep.equal([first, false]);
  });

  it("gives the results of several works", async () => {
    expect(await allEnded([Promise.resolve(1), Promise.resolve("a")])).to.deep.equal([1, "a"]);
  });
});
