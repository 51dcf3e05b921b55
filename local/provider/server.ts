import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type handleUnaryCall,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import any from "google-protobuf/google/protobuf/any_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import wire from "@pulumi/pulumi/proto/provider_pb.js";
import service from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import statusMessages from "@pulumi/pulumi/proto/status_pb.js";
import type { Autonaming } from "./naming.ts";
import type { Difference, PropertyChange } from "./diff.ts";
import type { Fault } from "./resource.ts";
import { InitFailedError } from "./lifecycle.ts";
import { Provider } from "./provider.ts";
import { messageOf } from "./retrying.ts";
import { markOutputs } from "./secrecy.ts";
import { fromStruct, plainBag, toStruct, type Bag } from "./values.ts";

/** The version whose types and names we follow. */
const version = "7.48.0";

/** Serves the provider protocol on a free port of the loopback interface. */
export async function serve(provider = new Provider()): Promise<{ port: number; close(): void }> {
  // Archives and policies can be large; Pulumi itself allows 400 MB.
  const limit = 400 * 1024 * 1024;
  const server = new Server({ "grpc.max_receive_message_length": limit, "grpc.max_send_message_length": limit });
  server.addService(service.ResourceProviderService, handlers(provider));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return {
    port,
    close: () => {
      server.forceShutdown();
    },
  };
}

function unary<Request, Response>(
  answer: (request: Request) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve(call.request)
      .then(answer)
      .then(
        (response) => {
          callback(null, response);
        },
        (error: unknown) => {
          callback(wireError(error));
        },
      );
  };
}

function handlers(provider: Provider): UntypedServiceImplementation {
  return {
    // Said to a provider that runs by itself and serves whoever comes; what we have to tell goes back with our answers.
    attach: unary(() => new empty.Empty()),
    getPluginInfo: unary(() => {
      const info = new plugin.PluginInfo();
      info.setVersion(version);
      return info;
    }),
    getSchema: unary(() => {
      const response = new wire.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name: "aws", version, resources: {} }));
      return response;
    }),
    checkConfig: unary((request: wire.CheckRequest) => {
      const news = fromStruct(request.getNews());
      return checkResponse(news, provider.configurationFaults(plainBag(news)));
    }),
    diffConfig: unary(() => {
      const response = new wire.DiffResponse();
      response.setChanges(wire.DiffResponse.DiffChanges.DIFF_UNKNOWN);
      return response;
    }),
    configure: unary((request: wire.ConfigureRequest) => {
      provider.configure(plainBag(fromStruct(request.getArgs())));
      const response = new wire.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),
    invoke: unary(async (request: wire.InvokeRequest) => {
      const response = new wire.InvokeResponse();
      response.setReturn(toStruct(await provider.invoke(request.getTok(), fromStruct(request.getArgs()))));
      return response;
    }),
    check: unary((request: wire.CheckRequest) => {
      const news = fromStruct(request.getNews());
      const { inputs, faults } = provider.check(request.getType(), {
        name: request.getName(),
        olds: plainBag(fromStruct(request.getOlds())),
        news: plainBag(news),
        seed: request.getRandomseed_asU8(),
        autonaming: autonamingOf(request),
      });
      return checkResponse(markOutputs(inputs, news), faults);
    }),
    diff: unary(async (request: wire.DiffRequest) =>
      diffResponse(await provider.diff(request.getType(), changeOf(request))),
    ),
    create: unary(async (request: wire.CreateRequest) => {
      const inputs = fromStruct(request.getProperties());
      const response = new wire.CreateResponse();
      if (request.getPreview()) {
        response.setProperties(
          toStruct(markOutputs(await provider.previewCreate(request.getType(), plainBag(inputs)), inputs)),
        );
        return response;
      }
      const { id, state } = await withSecrets(inputs, () => provider.create(operationOf(request), plainBag(inputs)));
      response.setId(id);
      response.setProperties(toStruct(markOutputs(state, inputs)));
      return response;
    }),
    read: unary(async (request: wire.ReadRequest) => {
      const [inputs, state] = [fromStruct(request.getInputs()), fromStruct(request.getProperties())];
      const known = { inputs: plainBag(inputs), state: plainBag(state) };
      const found = await provider.read(operationOf(request), request.getId(), known);
      const response = new wire.ReadResponse();
      if (found === undefined) return response;
      response.setId(request.getId());
      const model = { ...inputs, ...state };
      response.setProperties(toStruct(markOutputs(found.state, model)));
      response.setInputs(toStruct(markOutputs(found.inputs, model)));
      return response;
    }),
    update: unary(async (request: wire.UpdateRequest) => {
      const inputs = fromStruct(request.getNews());
      const response = new wire.UpdateResponse();
      const state = request.getPreview()
        ? await provider.previewUpdate(request.getType(), changeOf(request))
        : await withSecrets(inputs, () => provider.update(operationOf(request), request.getId(), changeOf(request)));
      response.setProperties(toStruct(markOutputs(state, inputs)));
      return response;
    }),
    delete: unary(async (request: wire.DeleteRequest) => {
      await provider.delete(operationOf(request), request.getId(), plainBag(fromStruct(request.getProperties())));
      return new empty.Empty();
    }),
    cancel: unary(() => {
      provider.cancel();
      return new empty.Empty();
    }),
  };
}

function operationOf(request: { getType(): string; getTimeout(): number }): { token: string; timeoutSeconds: number } {
  return { token: request.getType(), timeoutSeconds: request.getTimeout() };
}

function changeOf(request: wire.DiffRequest | wire.UpdateRequest): {
  state: Bag;
  inputs: Bag;
  oldInputs: Bag;
  ignoreChanges: string[];
} {
  return {
    state: plainBag(fromStruct(request.getOlds())),
    inputs: plainBag(fromStruct(request.getNews())),
    oldInputs: plainBag(fromStruct(request.getOldInputs())),
    ignoreChanges: request.getIgnorechangesList(),
  };
}

function autonamingOf(request: wire.CheckRequest): Autonaming | undefined {
  const options = request.getAutonaming();
  if (options === undefined) return undefined;
  const modes = wire.CheckRequest.AutonamingOptions.Mode;
  const mode =
    options.getMode() === modes.DISABLE ? "disable" : options.getMode() === modes.ENFORCE ? "enforce" : "propose";
  return { mode, proposedName: options.getProposedName() };
}

function checkResponse(inputs: Bag, faults: Fault[]): wire.CheckResponse {
  const response = new wire.CheckResponse();
  response.setInputs(toStruct(inputs));
  for (const { property, reason } of faults) {
    const failure = new wire.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    response.addFailures(failure);
  }
  return response;
}

function diffResponse(difference: Difference): wire.DiffResponse {
  const response = new wire.DiffResponse();
  const { DIFF_SOME, DIFF_NONE } = wire.DiffResponse.DiffChanges;
  response.setChanges(difference.changes.length > 0 ? DIFF_SOME : DIFF_NONE);
  response.setDiffsList([...difference.changed]);
  response.setReplacesList(difference.replaces);
  response.setDeletebeforereplace(difference.deleteBeforeReplace);
  response.setHasdetaileddiff(true);
  for (const change of difference.changes) {
    const detail = new wire.PropertyDiff();
    detail.setKind(kindOf(change));
    response.getDetaileddiffMap().set(change.path, detail);
  }
  return response;
}

function kindOf({ kind, replaces }: PropertyChange): wire.PropertyDiff.Kind {
  const kinds = wire.PropertyDiff.Kind;
  switch (kind) {
    case "add":
      return replaces ? kinds.ADD_REPLACE : kinds.ADD;
    case "delete":
      return replaces ? kinds.DELETE_REPLACE : kinds.DELETE;
    case "update":
      return replaces ? kinds.UPDATE_REPLACE : kinds.UPDATE;
  }
}

/** The half-finished state of a failed operation is written too: it must not show what was secret. */
async function withSecrets<T>(inputs: Bag, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (!(error instanceof InitFailedError)) throw error;
    throw new InitFailedError(error.message, error.id, markOutputs(error.state, inputs), error.cause);
  }
}

/** An error as gRPC and Pulumi read it; with the id and state of a resource that exists all the same. */
function wireError(error: unknown): { code: status; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  const details = messageOf(error);
  if (error instanceof InitFailedError) {
    const failure = new wire.ErrorResourceInitFailed();
    failure.setId(error.id);
    failure.setProperties(toStruct(error.state));
    failure.setReasonsList([details]);
    const packed = new any.Any();
    packed.pack(failure.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const message = new statusMessages.Status();
    message.setCode(status.UNKNOWN);
    message.setMessage(details);
    message.addDetails(packed);
    metadata.add("grpc-status-details-bin", Buffer.from(message.serializeBinary()));
  }
  return { code: status.UNKNOWN, details, metadata };
}
