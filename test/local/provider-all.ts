/** One program with every resource type that the local provider knows. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface AllOptions {
  /** Varies what an update changes in place. */
  round: number;
  mapping?: "on" | "off";
}

const trust = (service: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });

const handler = (round: number) => `exports.handler = async () => ({ batchItemFailures: [], round: ${round} });`;

export function everyType({ round, mapping = "on" }: AllOptions) {
  const provider = new aws.Provider("aws", {
    region: "us-east-1",
    defaultTags: { tags: { service: "provider-test", "with space": "a b" } },
  });
  const options = { provider };
  const retention = 3600 + round;

  const topic = new aws.sns.Topic("events", { displayName: `events ${round}` }, options);
  const dead = new aws.sqs.Queue("dead", {}, options);
  new aws.sqs.RedriveAllowPolicy(
    "dead",
    {
      queueUrl: dead.url,
      redriveAllowPolicy: JSON.stringify({ redrivePermission: round === 1 ? "allowAll" : "denyAll" }),
    },
    options,
  );
  const queue = new aws.sqs.Queue(
    "work",
    {
      messageRetentionSeconds: retention,
      visibilityTimeoutSeconds: 60,
      redrivePolicy: pulumi.jsonStringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 3 + round }),
      tags: { round: String(round), ...(round === 1 ? { first: "yes" } : { second: "yes" }) },
    },
    options,
  );
  new aws.sqs.QueuePolicy(
    "work",
    {
      queueUrl: queue.url,
      policy: pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: [
          {
            Sid: `Round${round}`,
            Effect: "Allow",
            Principal: { Service: "sns.amazonaws.com" },
            Action: "sqs:SendMessage",
            Resource: queue.arn,
            Condition: { ArnEquals: { "aws:SourceArn": topic.arn } },
          },
        ],
      }),
    },
    options,
  );
  new aws.sns.TopicPolicy(
    "events",
    {
      arn: topic.arn,
      policy: aws.iam.getPolicyDocumentOutput(
        {
          statements: [
            {
              sid: `Round${round}`,
              actions: ["sns:Publish"],
              resources: [topic.arn],
              principals: [{ type: "Service", identifiers: ["s3.amazonaws.com"] }],
            },
          ],
        },
        { provider },
      ).json,
    },
    options,
  );
  new aws.sns.TopicSubscription(
    "events",
    {
      topic: topic.arn,
      protocol: "sqs",
      endpoint: queue.arn,
      rawMessageDelivery: true,
      filterPolicy: JSON.stringify({ eventType: ["A", `B${round}`] }),
    },
    options,
  );

  const boundary = new aws.iam.Policy(
    "boundary",
    {
      description: "What the function may do at most",
      policy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Action: ["sqs:*", "logs:*", `s3:Get*`], Resource: `*` },
          ...(round === 1 ? [] : [{ Effect: "Deny", Action: "sns:*", Resource: "*" }]),
        ],
      }),
    },
    options,
  );
  const role = new aws.iam.Role(
    "worker",
    {
      assumeRolePolicy: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
      },
      description: `round ${round}`,
      maxSessionDuration: 3600 * round,
      permissionsBoundary: boundary.arn,
    },
    options,
  );
  const rights = new aws.iam.RolePolicy(
    "worker",
    {
      role: role.name,
      policy: queue.arn.apply((arn) =>
        JSON.stringify({
          Version: "2012-10-17",
          Statement: [
            {
              Sid: `Round${round}`,
              Effect: "Allow",
              Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
              Resource: [arn],
            },
          ],
        }),
      ),
    },
    options,
  );
  new aws.iam.RolePolicyAttachment("worker", { role, policyArn: boundary.arn }, options);

  const bucket = new aws.s3.Bucket("Data", { forceDestroy: true }, options);
  const of = { bucket: bucket.bucket };
  const access = new aws.s3.BucketPublicAccessBlock(
    "data",
    { ...of, blockPublicAcls: true, blockPublicPolicy: round === 2 },
    options,
  );
  new aws.s3.BucketPolicy(
    "data",
    {
      ...of,
      policy: pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: [
          {
            Sid: `Round${round}`,
            Effect: "Deny",
            Principal: "*",
            Action: "s3:DeleteBucketPolicy",
            Resource: bucket.arn,
            Condition: { Bool: { "aws:SecureTransport": "nothing" } },
          },
        ],
      }),
    },
    { ...options, dependsOn: [access] },
  );
  new aws.s3.BucketServerSideEncryptionConfiguration(
    "data",
    { ...of, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
    options,
  );
  new aws.s3.BucketVersioning(
    "data",
    { ...of, versioningConfiguration: { status: round === 1 ? "Enabled" : "Suspended" } },
    options,
  );
  new aws.s3.BucketOwnershipControls("data", { ...of, rule: { objectOwnership: "BucketOwnerEnforced" } }, options);
  new aws.s3.BucketLifecycleConfiguration(
    "data",
    {
      ...of,
      rules: [
        {
          id: "old",
          status: "Enabled",
          filter: { prefix: "exchanges/" },
          expiration: { days: 10 + round },
          noncurrentVersionExpiration: { noncurrentDays: 3 },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        },
      ],
    },
    options,
  );
  const code = new aws.s3.BucketObjectv2(
    "code",
    { ...of, key: "code/text file.txt", source: new pulumi.asset.StringAsset(`round ${round}`) },
    options,
  );

  const secret = new aws.secretsmanager.Secret(
    "login",
    { description: `round ${round}`, recoveryWindowInDays: 0 },
    options,
  );
  new aws.secretsmanager.SecretVersion(
    "login",
    { secretId: secret.arn, secretString: `open sesame ${round}` },
    options,
  );

  const fn = new aws.lambda.Function(
    "worker",
    {
      role: role.arn,
      runtime: "nodejs22.x",
      handler: "index.handler",
      timeout: 10 + round,
      code: new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(handler(round)) }),
      environment: { variables: { ROUND: String(round), PASSWORD: pulumi.secret("open sesame too") } },
      reservedConcurrentExecutions: 5 + round,
      loggingConfig: { logFormat: "Text", logGroup: "/aws/lambda/worker" },
    },
    options,
  );
  new aws.lambda.Permission(
    "worker",
    { function: fn, action: "lambda:InvokeFunction", principal: "sns.amazonaws.com", sourceArn: topic.arn },
    options,
  );
  const polling = new aws.lambda.EventSourceMapping(
    "worker",
    {
      eventSourceArn: queue.arn,
      functionName: fn.name,
      batchSize: 5,
      maximumBatchingWindowInSeconds: round,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: 2 + round },
      enabled: mapping === "on",
    },
    { ...options, dependsOn: [rights] },
  );
  new aws.cloudwatch.LogGroup(
    "worker",
    { name: pulumi.interpolate`/aws/lambda/${fn.name}`, retentionInDays: round === 1 ? 7 : 14 },
    options,
  );
  new aws.cloudwatch.MetricAlarm(
    "stuck",
    {
      namespace: "AWS/SQS",
      metricName: "ApproximateAgeOfOldestMessage",
      dimensions: { QueueName: queue.name },
      statistic: "Maximum",
      comparisonOperator: "GreaterThanThreshold",
      threshold: 300 * round,
      period: 60,
      evaluationPeriods: 5,
      alarmActions: [topic.arn],
    },
    options,
  );

  const flowRole = new aws.iam.Role(
    "flow",
    {
      assumeRolePolicy: trust("states.amazonaws.com"),
      inlinePolicies: [
        {
          name: "nothing",
          policy: JSON.stringify({
            Version: "2012-10-17",
            Statement: [{ Effect: "Deny", Action: "s3:*", Resource: "*" }],
          }),
        },
      ],
      managedPolicyArns: [boundary.arn],
    },
    options,
  );
  const flow = new aws.sfn.StateMachine(
    "flow",
    {
      roleArn: flowRole.arn,
      definition: JSON.stringify({ Comment: `round ${round}`, StartAt: "End", States: { End: { Type: "Succeed" } } }),
    },
    options,
  );
  const job = new aws.glue.Job(
    "copy",
    {
      roleArn: role.arn,
      glueVersion: "5.0",
      workerType: "G.1X",
      numberOfWorkers: 2 * round,
      timeout: 60,
      maxRetries: 0,
      executionProperty: { maxConcurrentRuns: 3 },
      command: {
        name: "glueetl",
        pythonVersion: "3",
        scriptLocation: pulumi.interpolate`s3://${bucket.bucket}/${code.key}`,
      },
      defaultArguments: { "--round": String(round) },
    },
    options,
  );
  const identity = aws.getCallerIdentityOutput({}, { provider });
  return {
    account: identity.accountId,
    region: aws.getRegionOutput({}, { provider }).region,
    queueUrl: queue.url,
    topicArn: topic.arn,
    functionName: fn.name,
    mappingUuid: polling.uuid,
    roleName: role.name,
    bucket: bucket.bucket,
    key: code.key,
    secretArn: secret.arn,
    flowArn: flow.arn,
    jobName: job.name,
  };
}
