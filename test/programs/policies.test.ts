/** What no role may do. That the rights suffice is shown where everything is really deployed. */
import { expect } from "chai";
import type { Statement } from "../../programs/components/policy.ts";
import { processorStatements } from "../../programs/exchange/policies.ts";
import { boundaryStatements } from "../../programs/global/roles/boundary.ts";
import { engineStatements } from "../../programs/global/roles/engine-statements.ts";
import {
  deadLetterStatements,
  databaseWriterStatements,
  payloadStatements,
} from "../../programs/global/roles/lambdas.ts";
import { glueJobStatements, stateMachineStatements } from "../../programs/global/roles/record-copy.ts";
import { exchangeConfig, outputs } from "./fixtures.ts";
import { account } from "./recording.ts";

const region = "us-east-1";
const dataBucketArn = "arn:aws:s3:::doc-exch-data";

const documentEngineSecretArn = `arn:aws:secretsmanager:${region}:${account}:secret:doc_exch_document_engine`;
const ofExchange = (kind: keyof typeof processorStatements) =>
  processorStatements[kind]({
    ...exchangeConfig.exchange,
    caseBucket: "case-files",
    topicArn: outputs.topicArn,
    queueArn: `arn:aws:sqs:${region}:${account}:doc_exch_${kind}_queue_22_b1-1a2b3c4`,
    nextQueueArn: `arn:aws:sqs:${region}:${account}:doc_exch_doc_uploader_queue_22_b1-1a2b3c4`,
    deadLetterQueueArn: outputs.deadLetterQueue.arn,
    documentEngineSecretArn,
    searchTextSecretArn: outputs.searchTextSecretArn,
  });
const processors = {
  s3Copy: ofExchange("s3_copy"),
  preUploader: ofExchange("pre_uploader"),
  reOcr: ofExchange("re_ocr"),
  searchText: ofExchange("search_text"),
};
const boundary = boundaryStatements({
  account,
  region,
  caseBucket: "case-files",
  topicArn: outputs.topicArn,
  deadLetterQueueArn: outputs.deadLetterQueue.arn,
  documentEngineSecretArn,
  searchTextSecretArn: outputs.searchTextSecretArn,
});
const engine = engineStatements({
  account,
  region,
  boundaryArn: outputs.boundaryArn,
  topicArn: outputs.topicArn,
  orchestrationQueueArn: outputs.orchestrationQueue.arn,
  uploaderQueueArn: outputs.uploader.queueArn,
  stateMachineArn: outputs.stateMachineArn,
  glueJobArn: `arn:aws:glue:${region}:${account}:job/doc_exch_record_copy`,
  dataBucketArn,
  stateBucket: "pulumi-state",
  registrySecretArn: outputs.registrySecretArn,
  caseReaderSecretArn: outputs.caseReaderSecretArn,
});
const policies: Record<string, Statement[]> = {
  ...processors,
  boundary,
  engine,
  payload: payloadStatements({ account, region, dataBucketArn }),
  databaseWriter: databaseWriterStatements(outputs.ledgerSecretArn),
  deadLetter: deadLetterStatements(outputs.topicArn),
  stateMachine: stateMachineStatements({
    glueJobArn: `arn:aws:glue:${region}:${account}:job/doc_exch_record_copy`,
    payloadFunctionArn: `arn:aws:lambda:${region}:${account}:function:doc_exch_payload`,
    topicArn: outputs.topicArn,
    dataBucketArn,
  }),
  glueJob: glueJobStatements({
    account,
    region,
    dataBucketArn,
    databaseSecretArn: outputs.caseDatabaseSecretArn,
    connections: ["cases"],
  }),
};

const list = (value: string | readonly string[]): readonly string[] => (typeof value === "string" ? [value] : value);
const actionsOf = (statements: readonly Statement[]) => statements.flatMap(({ Action }) => list(Action));

/** Whether some statement allows the action on the resource, conditions left aside. */
function allows(statements: readonly Statement[], action: string, resource: string): boolean {
  const matches = (pattern: string, text: string) =>
    new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`).test(text);
  return statements.some(
    (statement) =>
      list(statement.Action).some((pattern) => matches(pattern, action)) &&
      list(statement.Resource).some((pattern) => matches(pattern, resource)),
  );
}

describe("the policies", () => {
  for (const [name, statements] of Object.entries(policies)) {
    it(`name every action of ${name} in full`, () => {
      expect(actionsOf(statements).filter((action) => action.includes("*"))).to.deep.equal([]);
    });
  }

  it("name a resource wherever AWS lets them", () => {
    // Act
    const open = Object.entries(policies).map(([name, statements]) => [
      name,
      statements.filter(({ Resource }) => list(Resource).includes("*")).map(({ Sid }) => Sid),
    ]);

    // Assess
    expect(Object.fromEntries(open)).to.deep.equal({
      s3Copy: [],
      preUploader: [],
      reOcr: [],
      searchText: [],
      boundary: [],
      engine: ["SubscriptionsOfExchanges", "MappingsOfExchanges", "FindLeftovers"],
      payload: [],
      databaseWriter: [],
      deadLetter: [],
      stateMachine: [],
      glueJob: ["WriteItsMetrics", "JoinTheVpc"],
    });
  });

  it("keep the processors of an exchange to its two cases, reading the one and writing the other", () => {
    // Prepare
    const key = (caseId: number) => `arn:aws:s3:::case-files/case_${caseId}/file.pdf`;
    const asked = [11, 22, 1, 112, 221, 33].flatMap((caseId) =>
      ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"].map((action) => [action, caseId] as const),
    );

    // Act
    const allowed = (statements: Statement[]) =>
      asked.filter(([action, caseId]) => allows(statements, action, key(caseId)));

    // Assess
    const [readSource, read, write] = [
      ["s3:GetObject", 11],
      ["s3:GetObject", 22],
      ["s3:PutObject", 22],
    ];
    expect(allowed(processors.s3Copy)).to.deep.equal([readSource, read, write]);
    expect(allowed(processors.preUploader)).to.deep.equal([readSource, write]);
    expect(allowed(processors.reOcr)).to.deep.equal([write]);
    expect(allowed(processors.searchText)).to.deep.equal([]);
    expect(
      allows(processors.searchText, "s3:GetObject", "arn:aws:s3:::case-files/case_22/processed-files/b1/txt/1"),
    ).to.equal(true);
  });

  it("hold nothing of a processor beyond what the boundary lets through", () => {
    // Prepare
    const concrete = Object.values(processors)
      .flat()
      .flatMap(({ Action, Resource }) =>
        list(Action).flatMap((action) => list(Resource).map((resource) => [action, resource] as const)),
      );

    // Act
    const cut = concrete.filter(([action, resource]) => !allows(boundary, action, resource));

    // Assess
    expect(cut).to.deep.equal([]);
  });

  it("leave a processor no way to grow: no IAM, no queue or function of its own making", () => {
    const services = new Set(actionsOf(boundary).map((action) => action.split(":")[0]));
    expect([...services]).to.deep.equal(["s3", "sqs", "sns", "secretsmanager", "logs"]);
    expect(actionsOf(boundary).filter((action) => /Create(?!LogStream)|Delete(?!Message)/.test(action))).to.deep.equal(
      [],
    );
  });

  it("give each processor the one secret that it works with", () => {
    const secrets = [
      documentEngineSecretArn,
      outputs.searchTextSecretArn,
      outputs.ledgerSecretArn,
      outputs.registrySecretArn,
    ];
    const readable = (statements: Statement[]) =>
      secrets.filter((secret) => allows(statements, "secretsmanager:GetSecretValue", secret));
    expect(Object.values(processors).map(readable)).to.deep.equal([
      [documentEngineSecretArn],
      [documentEngineSecretArn],
      [documentEngineSecretArn],
      [outputs.searchTextSecretArn],
    ]);
    expect(readable(boundary)).to.deep.equal([documentEngineSecretArn, outputs.searchTextSecretArn]);
  });

  it("let the engine subscribe nothing to the topic but queues of exchanges", () => {
    const subscribing = engine.filter(({ Action }) => list(Action).includes("sns:Subscribe"));
    expect(subscribing).to.deep.equal([
      {
        Sid: "SubscribeQueuesOfExchanges",
        Effect: "Allow",
        Action: "sns:Subscribe",
        Resource: outputs.topicArn,
        Condition: {
          StringEquals: { "sns:Protocol": "sqs" },
          StringLike: { "sns:Endpoint": `arn:aws:sqs:${region}:${account}:doc_exch_*_queue_*` },
        },
      },
    ]);
  });

  it("let the engine write roles of exchanges under the boundary only, and never lift it", () => {
    // Act
    const iam = engine.filter(({ Action }) => list(Action).some((action) => action.startsWith("iam:")));
    const writing = iam.filter(({ Action }) => list(Action).some((action) => /:(Create|Put)/.test(action)));

    // Assess
    expect(writing).to.deep.equal([
      {
        Sid: "RolesUnderTheBoundary",
        Effect: "Allow",
        Action: ["iam:CreateRole", "iam:PutRolePolicy", "iam:DeleteRolePolicy"],
        Resource: `arn:aws:iam::${account}:role/doc_exch_*_role_*`,
        Condition: { ArnEquals: { "iam:PermissionsBoundary": outputs.boundaryArn } },
      },
    ]);
    expect(
      actionsOf(iam).filter((action) => /Boundary|Attach(?!ed)|User|Key|CreatePolicy|AssumeRole/.test(action)),
    ).to.deep.equal([]);
  });

  it("keep the engine off what belongs to the global stack and to others", () => {
    // Prepare
    const forbidden = [
      ["sqs:DeleteQueue", outputs.orchestrationQueue.arn],
      ["sqs:DeleteQueue", outputs.uploader.queueArn],
      ["sqs:ReceiveMessage", outputs.ledgerQueue.arn],
      ["sqs:ReceiveMessage", `arn:aws:sqs:${region}:${account}:doc_exch_s3_copy_queue_22_b1-1a2b3c4`],
      ["iam:DeleteRole", outputs.engineRoleArn],
      ["iam:PassRole", outputs.engineRoleArn],
      ["lambda:DeleteFunction", `arn:aws:lambda:${region}:${account}:function:doc_exch_payload-1a2b3c4`],
      ["lambda:InvokeFunction", `arn:aws:lambda:${region}:${account}:function:doc_exch_s3_copy_lambda_22_b1-1a2b3c4`],
      ["secretsmanager:GetSecretValue", outputs.caseDatabaseSecretArn],
      ["secretsmanager:GetSecretValue", outputs.ledgerSecretArn],
      ["s3:PutObject", `${dataBucketArn}/artifacts/lambdas/s3_copy.zip`],
      ["s3:GetObject", "arn:aws:s3:::case-files/case_11/file.pdf"],
      ["states:DeleteStateMachine", outputs.stateMachineArn],
    ] as const;

    // Act
    const allowed = forbidden.filter(([action, resource]) => allows(engine, action, resource));

    // Assess
    expect(allowed).to.deep.equal([]);
  });

  it("keep the Glue job to one secret and off the files of cases", () => {
    // Prepare
    const job = policies["glueJob"]!;

    // Assess
    expect(allows(job, "secretsmanager:GetSecretValue", outputs.caseDatabaseSecretArn)).to.equal(true);
    expect(allows(job, "secretsmanager:GetSecretValue", outputs.registrySecretArn)).to.equal(false);
    expect(allows(job, "s3:GetObject", "arn:aws:s3:::case-files/case_11/file.pdf")).to.equal(false);
    expect(allows(job, "s3:PutObject", `${dataBucketArn}/artifacts/glue/script.py`)).to.equal(false);
  });
});
