import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { execa } from "execa";
import { readConfig } from "../../engine/config.ts";
import { defaultDeadlineMinutes } from "../../engine/exchange/deadlines.ts";
import { InvalidInputError } from "../../contracts/errors.ts";

const least = {
  EXCHANGER_GLOBAL_STACK: "global-dev-c2",
  EXCHANGER_PORT: "8080",
  EXCHANGER_WORK_DIR: "/var/lib/exchanger",
  EXCHANGER_JWKS: "https://issuer.example/keys",
  EXCHANGER_JWT_ISSUER: "https://issuer.example",
  EXCHANGER_JWT_AUDIENCE: "exchanger",
};

describe("engine configuration", () => {
  it("has production's times as defaults", () => {
    const { instance, ...config } = readConfig(least);

    expect(instance).to.match(new RegExp(`^[^/]+/${process.pid}/[0-9a-f]{8}$`));
    expect(config).to.deep.equal({
      globalStack: "global-dev-c2",
      host: "127.0.0.1",
      port: 8080,
      workDir: "/var/lib/exchanger",
      auth: {
        jwks: new URL("https://issuer.example/keys"),
        issuer: "https://issuer.example",
        audience: "exchanger",
      },
      drainDelaySeconds: 90,
      settlingSeconds: 60,
      releaseSeconds: 60,
      maxOperations: 4,
      operationMiB: 800,
      operationsPerMinute: 25,
      maxLiveExchanges: 50,
      maxWaitingExchanges: 1000,
      deadlineMinutes: defaultDeadlineMinutes,
      leaseSeconds: 30,
      pollSeconds: 5,
      secretsProvider: undefined,
      logLevel: "info",
      environment: least,
    });
  });

  it("takes a deadline for each state", () => {
    const config = readConfig({ ...least, EXCHANGER_DEADLINE_PROCESSING_MINUTES: "0.5" });

    expect(config.deadlineMinutes).to.deep.equal({ ...defaultDeadlineMinutes, PROCESSING: 0.5 });
  });

  it("passes the environment of Pulumi and AWS through", () => {
    const given = { ...least, PULUMI_BACKEND_URL: "s3://state", AWS_PROFILE: "engine" };

    expect(readConfig({ ...given, UNSET: undefined }).environment).to.deep.equal(given);
  });

  it("names every variable that is missing or wrong at once", () => {
    const wrong = {
      ...least,
      EXCHANGER_GLOBAL_STACK: undefined,
      EXCHANGER_PORT: "eighty",
      EXCHANGER_JWKS: "http://issuer.example/keys",
      EXCHANGER_POLL_SECONDS: "0",
      EXCHANGER_DEADLINE_DRAINING_MINUTES: "soon",
    };

    expect(() => readConfig(wrong))
      .to.throw(InvalidInputError)
      .with.property("message")
      .that.satisfies((message: string) =>
        [
          "EXCHANGER_GLOBAL_STACK",
          "EXCHANGER_PORT",
          "EXCHANGER_JWKS",
          "EXCHANGER_POLL_SECONDS",
          "EXCHANGER_DEADLINE_DRAINING_MINUTES",
        ].every((name) => message.includes(name)),
      );
  });

  it("refuses a lease that would run out between two looks", () => {
    expect(() => readConfig({ ...least, EXCHANGER_LEASE_SECONDS: "9", EXCHANGER_POLL_SECONDS: "5" })).to.throw(
      InvalidInputError,
      "EXCHANGER_LEASE_SECONDS (must be at least twice EXCHANGER_POLL_SECONDS)",
    );
  });

  it("ends the process with a message on stderr when it is incomplete", async () => {
    const main = fileURLToPath(new URL("../../engine/main.ts", import.meta.url));

    const { exitCode, stderr } = await execa(process.execPath, [main], {
      env: { ...least, EXCHANGER_JWT_ISSUER: undefined },
      extendEnv: false,
      reject: false,
    });

    expect(exitCode).to.equal(1);
    expect(stderr).to.match(/^InvalidInputError: set these variables: EXCHANGER_JWT_ISSUER \(/);
  });
});
