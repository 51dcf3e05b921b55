/** The HTTP interface over a registry and two cases that are real, and what its suites expect of answers. */
import { expect } from "chai";
import type { Registry } from "../../engine/registry/database.ts";
import { testApi, testCases, testRegistry, type TestApi, type TestCases, type TestRegistry } from "./kit.ts";

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  errors?: { field: string; message: string }[];
  errorCount?: number;
}

export const good = {
  sourceCaseId: 1,
  destinationCaseId: 2,
  batchId: "b1",
  selection: { documentIds: [11, "12"] },
};

/** Filled by the hooks of {@link httpBench}. */
export interface HttpBench {
  db: Registry;
  cases: TestCases;
  api: TestApi;
  /** May read and write, in all cases. */
  token: string;
  post(body: unknown, options?: { token?: string; headers?: object }): ReturnType<TestApi["call"]>;
}

/** Called within a suite: starts everything before its tests, empties the registry before each, stops it after them. */
export function httpBench(): HttpBench {
  const bench = {
    post: (body, options = {}) => bench.api.call("POST", "/exchanges", { token: bench.token, body, ...options }),
  } as HttpBench;
  let registry: TestRegistry;
  before(async () => {
    registry = await testRegistry();
    bench.db = registry.db;
    bench.cases = await testCases();
    bench.api = await testApi(registry.db, bench.cases.reader);
    bench.token = await bench.api.token();
  });
  after(async () => {
    await bench.api.stop();
    await bench.cases.drop();
    await registry.drop();
  });
  beforeEach(async () => {
    for (const table of ["exchanges", "transitions", "exchange_documents"] as const)
      await bench.db.deleteFrom(table).execute();
    bench.api.accepted.length = 0;
  });
  return bench;
}

export function expectProblem(
  answer: { status: number; headers: Headers; body: unknown },
  status: number,
  code: string,
): ProblemBody {
  const problem = answer.body as ProblemBody;
  expect([answer.status, problem.status, problem.code]).to.deep.equal([status, status, code]);
  expect(answer.headers.get("content-type")).to.match(/^application\/problem\+json/);
  expect(problem.type).to.equal("about:blank");
  expect([problem.title, problem.detail]).to.satisfy((texts: string[]) => texts.every((text) => text.length > 0));
  return problem;
}
