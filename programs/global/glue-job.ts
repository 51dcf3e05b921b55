import * as glue from "@pulumi/aws/glue/index.js";
import * as iam from "@pulumi/aws/iam/index.js";
import { interpolate, type Output } from "@pulumi/pulumi";
import { resourcePrefix } from "../../contracts/names.ts";
import { policyOf, trustService } from "../components/policy.ts";
import { glueJobStatements } from "./roles/record-copy.ts";
import type { Scope } from "./scope.ts";
import type { Storage } from "./storage.ts";

/** The Spark job that copies the records of an exchange. What differs by exchange comes with each run. */
export function makeGlueJob(scope: Scope, storage: Storage, databaseSecretArn: Output<string>): glue.Job {
  const { config, accountId, options } = scope;
  const name = `${resourcePrefix}record_copy`;
  const role = new iam.Role(`${resourcePrefix}glue`, { assumeRolePolicy: trustService("glue.amazonaws.com") }, options);
  const policy = policyOf({ account: accountId, dataBucketArn: storage.bucket.arn, databaseSecretArn }, (known) =>
    glueJobStatements({ ...known, region: config.region, connections: config.glue.connections }),
  );
  new iam.RolePolicy(`${resourcePrefix}glue`, { role: role.name, policy }, options);
  return new glue.Job(
    name,
    {
      description: "Copies the database records of one exchange and writes its manifest",
      roleArn: role.arn,
      glueVersion: config.glue.version,
      workerType: config.glue.workerType,
      numberOfWorkers: config.glue.workers,
      timeout: config.glue.timeoutMinutes,
      // The state machine tries again, where it is seen and counted.
      maxRetries: 0,
      executionProperty: { maxConcurrentRuns: config.glue.maxConcurrentRuns },
      command: {
        name: "glueetl",
        pythonVersion: "3",
        scriptLocation: interpolate`s3://${storage.glueScript.bucket}/${storage.glueScript.key}`,
      },
      ...(config.glue.connections.length > 0 && { connections: config.glue.connections }),
      defaultArguments: {
        "--job-language": "python",
        "--job-bookmark-option": "job-bookmark-disable",
        "--enable-metrics": "true",
        "--enable-continuous-cloudwatch-log": "true",
        "--additional-python-modules": config.glue.pythonModules.join(","),
        "--extra-py-files": interpolate`s3://${storage.gluePackage.bucket}/${storage.gluePackage.key}`,
        "--data_bucket": storage.bucket.bucket,
        "--case_schema_prefix": config.caseSchemaPrefix,
        "--database_secret_id": databaseSecretArn,
        "--manifest_part_size": String(config.glue.manifestPartSize),
      },
    },
    options,
  );
}
