import { InvalidInputError } from "../../contracts/errors.ts";
import { check, type CheckRequest } from "./check.ts";
import { Clients } from "./clients.ts";
import { configurationFaults, parseConfiguration, type Configuration } from "./configuration.ts";
import { Context } from "./context.ts";
import { diff, type Difference } from "./diff.ts";
import { invoke } from "./invokes.ts";
import * as lifecycle from "./lifecycle.ts";
import type { Fault, ResourceType } from "./resource.ts";
import { Retryer } from "./retrying.ts";
import { resourceTypes } from "./types/index.ts";
import { plainBag, type Bag } from "./values.ts";

const defaultTimeoutSeconds = 600;

interface Operation {
  readonly token: string;
  readonly timeoutSeconds: number;
}

/** The aws provider, free of its wire protocol: values are plain, secrets are unwrapped. */
export class Provider {
  readonly #cancelled = new AbortController();
  #configuration: Configuration | undefined;
  #clients: Clients | undefined;

  configurationFaults(args: Bag): Fault[] {
    return configurationFaults(args);
  }

  configure(args: Bag): void {
    this.#configuration = parseConfiguration(args, process.env);
    this.#clients = new Clients(this.#configuration, this.#configuration.region);
  }

  check(token: string, request: CheckRequest): { inputs: Bag; faults: Fault[] } {
    return check(typeOf(token), request);
  }

  async diff(
    token: string,
    request: { state: Bag; inputs: Bag; oldInputs: Bag; ignoreChanges: string[] },
  ): Promise<Difference> {
    return diff(typeOf(token), { ...request, ...(await this.#settings()) });
  }

  async previewCreate(token: string, inputs: Bag): Promise<Bag> {
    return lifecycle.previewed(typeOf(token), inputs, {}, undefined, await this.#settings());
  }

  async previewUpdate(
    token: string,
    request: { state: Bag; inputs: Bag; oldInputs: Bag; ignoreChanges: string[] },
  ): Promise<Bag> {
    const difference = await this.diff(token, request);
    return lifecycle.previewed(typeOf(token), request.inputs, request.state, difference, await this.#settings());
  }

  async create(operation: Operation, inputs: Bag): Promise<{ id: string; state: Bag }> {
    const settings = await this.#settings();
    return lifecycle.create(typeOf(operation.token), this.#context(operation, inputs, settings), inputs, settings);
  }

  async read(
    operation: Operation,
    id: string,
    known: { inputs: Bag; state: Bag },
  ): Promise<{ state: Bag; inputs: Bag } | undefined> {
    const settings = await this.#settings();
    return lifecycle.read(
      typeOf(operation.token),
      this.#context(operation, known.state, settings),
      id,
      known,
      settings,
    );
  }

  async update(
    operation: Operation,
    id: string,
    request: { inputs: Bag; state: Bag; oldInputs: Bag; ignoreChanges: string[] },
  ): Promise<Bag> {
    const settings = await this.#settings();
    return lifecycle.update(
      typeOf(operation.token),
      this.#context(operation, request.state, settings),
      id,
      request,
      settings,
    );
  }

  async delete(operation: Operation, id: string, state: Bag): Promise<void> {
    const settings = await this.#settings();
    await lifecycle.remove(typeOf(operation.token), this.#context(operation, state, settings), id, state);
  }

  async invoke(token: string, args: Bag): Promise<Bag> {
    const { region } = await this.#settings();
    return invoke(token, plainBag(args), this.#configured().clients, region);
  }

  /** Ends all waiting; calls on their way to AWS end by themselves. */
  cancel(): void {
    this.#cancelled.abort();
  }

  #configured(): { configuration: Configuration; clients: Clients } {
    if (!this.#configuration || !this.#clients) {
      throw new InvalidInputError("PROVIDER_CONFIGURATION", "the aws provider was used before it was configured");
    }
    return { configuration: this.#configuration, clients: this.#clients };
  }

  async #settings(): Promise<lifecycle.Settings> {
    const { configuration, clients } = this.#configured();
    return { region: configuration.region ?? (await clients.region()), defaultTags: configuration.defaultTags };
  }

  #context({ timeoutSeconds }: Operation, values: Bag, settings: lifecycle.Settings): Context {
    const region = typeof values["region"] === "string" ? values["region"] : settings.region;
    const clients = this.#configured().clients;
    const patience = new Retryer((timeoutSeconds || defaultTimeoutSeconds) * 1_000, this.#cancelled.signal);
    return new Context(region === settings.region ? clients : clients.in(region), region, patience);
  }
}

function typeOf(token: string): ResourceType {
  const type = resourceTypes.get(token);
  if (type) return type;
  throw new InvalidInputError("UNKNOWN_TYPE", `the local provider does not know the resource type ${token}`);
}
