/**
 * How long a call to AWS may take, in milliseconds, before it is made anew; the SDKs would wait for ever on a connection
 * of which the other side is gone. The longest that we make is a copy of 5 GiB within S3, about a minute.
 */
export const patience = {
  connectionTimeout: 5_000,
  requestTimeout: 120_000,
  throwOnRequestTimeout: true,
} as const;
