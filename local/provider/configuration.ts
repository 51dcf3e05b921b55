import { z } from "zod";
import { InvalidInputError } from "../../contracts/errors.ts";
import type { Tags } from "./tags.ts";
import type { Bag } from "./values.ts";

/** What the local provider knows of the official one's configuration. */
export interface Configuration {
  /** Undefined: what the SDK finds in the environment or the profile. */
  readonly region: string | undefined;
  readonly profile: string | undefined;
  readonly credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } | undefined;
  /** Endpoint by service name as the official provider spells it, e.g. `sqs`. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly s3UsePathStyle: boolean;
  readonly maxAttempts: number;
  readonly defaultTags: Tags;
}

const truth = z.union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")]);

const knownArguments = z.strictObject({
  region: z.string().optional(),
  profile: z.string().optional(),
  accessKey: z.string().optional(),
  secretKey: z.string().optional(),
  token: z.string().optional(),
  endpoints: z.array(z.record(z.string(), z.string())).optional(),
  s3UsePathStyle: truth.optional(),
  maxRetries: z.coerce.number().int().nonnegative().optional(),
  defaultTags: z.object({ tags: z.record(z.string(), z.string()).optional() }).optional(),
  // These only spare the official provider calls that this one never makes.
  skipCredentialsValidation: truth.optional(),
  skipMetadataApiCheck: truth.optional(),
  skipRegionValidation: truth.optional(),
  skipRequestingAccountId: truth.optional(),
});

export const configurationNames = Object.keys(knownArguments.shape);

/** Arguments of the official provider that are not built here. */
export const unsupportedConfiguration: readonly string[] = [
  "allowedAccountIds",
  "assumeRoleWithWebIdentity",
  "assumeRoles",
  "customCaBundle",
  "ec2MetadataServiceEndpoint",
  "ec2MetadataServiceEndpointMode",
  "forbiddenAccountIds",
  "httpProxy",
  "httpsProxy",
  "ignoreTags",
  "insecure",
  "noProxy",
  "retryMode",
  "s3UsEast1RegionalEndpoint",
  "sharedConfigFiles",
  "sharedCredentialsFiles",
  "stsRegion",
  "tagPolicyCompliance",
  "tokenBucketRateLimiterCapacity",
  "useDualstackEndpoint",
  "useFipsEndpoint",
  "userAgents",
];

/** What Pulumi itself adds to a provider's arguments. */
const pulumisOwn = new Set(["version", "pluginDownloadURL"]);

/** Structured arguments travel as JSON text; empty text means "not given". */
function decoded(args: Bag): Bag {
  const given = Object.entries(args).filter(
    ([name, value]) => value !== "" && !name.startsWith("__") && !pulumisOwn.has(name),
  );
  return Object.fromEntries(
    given.map(([name, value]) => [name, isJson(value) ? (JSON.parse(value) as unknown) : value]),
  );
}

function isJson(value: unknown): value is string {
  return typeof value === "string" && /^\s*[[{]/.test(value);
}

/** What is wrong with the provider's arguments, by property. */
export function configurationFaults(args: Bag): { property: string; reason: string }[] {
  const result = knownArguments.safeParse(decoded(args));
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return [{ property: issue.path.join("."), reason: issue.message }];
    return issue.keys.map((name) => ({ property: name, reason: strange(name) }));
  });
}

function strange(name: string): string {
  return unsupportedConfiguration.includes(name)
    ? `"${name}" is an argument of aws.Provider that the local provider does not support`
    : `"${name}" is not an argument of aws.Provider`;
}

/** @throws InvalidInputError naming what the local provider does not know */
export function parseConfiguration(args: Bag, environment: NodeJS.ProcessEnv): Configuration {
  const [fault] = configurationFaults(args);
  if (fault) throw new InvalidInputError("PROVIDER_CONFIGURATION", `aws:${fault.property}: ${fault.reason}`);
  const known = knownArguments.parse(decoded(args));
  const endpoints = Object.fromEntries((known.endpoints ?? []).flatMap((one) => Object.entries(one)));
  const s3Endpoint = endpoints["s3"] ?? environment["AWS_ENDPOINT_URL_S3"] ?? environment["AWS_ENDPOINT_URL"];
  return {
    region: known.region ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"],
    profile: known.profile,
    credentials:
      known.accessKey !== undefined && known.secretKey !== undefined
        ? {
            accessKeyId: known.accessKey,
            secretAccessKey: known.secretKey,
            ...(known.token === undefined ? {} : { sessionToken: known.token }),
          }
        : undefined,
    endpoints,
    s3UsePathStyle: known.s3UsePathStyle ?? isLoopback(s3Endpoint),
    maxAttempts: (known.maxRetries ?? 6) + 1,
    defaultTags: known.defaultTags?.tags ?? {},
  };
}

/** No name server knows `bucket.localhost`. */
function isLoopback(url: string | undefined): boolean {
  return url !== undefined && URL.canParse(url) && /^(localhost|127\.|\[::1\])/.test(new URL(url).hostname);
}
