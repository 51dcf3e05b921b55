import type { CloudWatch } from "@aws-sdk/client-cloudwatch";
import type { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import type { Glue } from "@aws-sdk/client-glue";
import type { IAM } from "@aws-sdk/client-iam";
import type { Lambda } from "@aws-sdk/client-lambda";
import type { S3 } from "@aws-sdk/client-s3";
import type { SecretsManager } from "@aws-sdk/client-secrets-manager";
import type { SFN } from "@aws-sdk/client-sfn";
import type { SNS } from "@aws-sdk/client-sns";
import type { SQS, SQSClientConfig } from "@aws-sdk/client-sqs";
import type { STS } from "@aws-sdk/client-sts";
import type { Configuration } from "./configuration.ts";

type CredentialProvider = Exclude<SQSClientConfig["credentials"], undefined>;
type ClientSettings = Pick<SQSClientConfig, "maxAttempts" | "region" | "endpoint" | "profile" | "credentials">;

/**
 * The SDK's clients of one region. Each service's code is loaded at its first use, which keeps the start short; all
 * clients share the first one's credentials, so that a role is assumed once.
 */
export class Clients {
  readonly #configuration: Configuration;
  readonly #region: string | undefined;
  readonly #credentials: { shared?: CredentialProvider };
  readonly #elsewhere = new Map<string, Clients>();
  readonly #made = new Map<string, Promise<unknown>>();

  constructor(
    configuration: Configuration,
    region: string | undefined,
    credentials: { shared?: CredentialProvider } = {},
  ) {
    this.#configuration = configuration;
    this.#region = region;
    this.#credentials = credentials;
  }

  /** The same for another region, with the same credentials. */
  in(region: string): Clients {
    const known = this.#elsewhere.get(region) ?? new Clients(this.#configuration, region, this.#credentials);
    this.#elsewhere.set(region, known);
    return known;
  }

  sqs(): Promise<SQS> {
    // The service's own endpoint, as the vendor's provider does, and not the one that a queue's URL names.
    return this.#once(
      "sqs",
      async (settings) => new (await import("@aws-sdk/client-sqs")).SQS({ ...settings, useQueueUrlAsEndpoint: false }),
    );
  }
  sns(): Promise<SNS> {
    return this.#once("sns", async (settings) => new (await import("@aws-sdk/client-sns")).SNS(settings));
  }
  lambda(): Promise<Lambda> {
    return this.#once("lambda", async (settings) => new (await import("@aws-sdk/client-lambda")).Lambda(settings));
  }
  iam(): Promise<IAM> {
    return this.#once("iam", async (settings) => new (await import("@aws-sdk/client-iam")).IAM(settings));
  }
  s3(): Promise<S3> {
    const { s3UsePathStyle: forcePathStyle } = this.#configuration;
    return this.#once(
      "s3",
      async (settings) => new (await import("@aws-sdk/client-s3")).S3({ ...settings, forcePathStyle }),
    );
  }
  secretsManager(): Promise<SecretsManager> {
    return this.#once("secretsmanager", async (settings) => {
      return new (await import("@aws-sdk/client-secrets-manager")).SecretsManager(settings);
    });
  }
  stepFunctions(): Promise<SFN> {
    return this.#once("sfn", async (settings) => new (await import("@aws-sdk/client-sfn")).SFN(settings));
  }
  glue(): Promise<Glue> {
    return this.#once("glue", async (settings) => new (await import("@aws-sdk/client-glue")).Glue(settings));
  }
  logs(): Promise<CloudWatchLogs> {
    return this.#once("logs", async (settings) => {
      return new (await import("@aws-sdk/client-cloudwatch-logs")).CloudWatchLogs(settings);
    });
  }
  cloudWatch(): Promise<CloudWatch> {
    return this.#once("cloudwatch", async (settings) => {
      return new (await import("@aws-sdk/client-cloudwatch")).CloudWatch(settings);
    });
  }
  sts(): Promise<STS> {
    return this.#once("sts", async (settings) => new (await import("@aws-sdk/client-sts")).STS(settings));
  }

  /** The region that the environment or the profile names when the configuration does not. */
  region(): Promise<string> {
    return this.#remember("region", async () => (await this.sts()).config.region());
  }

  /** The account that the credentials belong to. */
  accountId(): Promise<string> {
    return this.#remember("accountId", async () => (await (await this.sts()).getCallerIdentity({})).Account ?? "");
  }

  #once<C extends { config: { credentials: CredentialProvider } }>(
    service: string,
    make: (settings: ClientSettings) => Promise<C>,
  ): Promise<C> {
    return this.#remember(service, async () => {
      const client = await make(this.#settings(service));
      this.#credentials.shared ??= client.config.credentials;
      return client;
    });
  }

  #remember<T>(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#made.get(key) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const made = make();
    this.#made.set(key, made);
    // A failure is told to whoever asked, and the next one tries anew.
    made.catch(() => this.#made.delete(key));
    return made;
  }

  #settings(service: string): ClientSettings {
    const { endpoints, profile, credentials, maxAttempts } = this.#configuration;
    const shared = this.#credentials.shared ?? credentials;
    const endpoint = endpoints[service];
    return {
      maxAttempts,
      ...(this.#region === undefined ? {} : { region: this.#region }),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(profile === undefined ? {} : { profile }),
      ...(shared === undefined ? {} : { credentials: shared }),
    };
  }
}
