// The gRPC server: services in, address out, and a stop that drains.
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import type { EnginePool } from '../engines/pool.ts';
import type { ModelRepository } from '../models/repository.ts';
import type { Router } from '../routing/router.ts';
import { engineAdminHandlers, engineAdminService } from './engines.ts';
import { modelHandlers, modelService } from './models.ts';
import { reasoningHandlers, reasoningService } from './reasoning.ts';
import type { UnaryOptions } from './unary.ts';

export interface ApiOptions extends UnaryOptions {
  readonly listen: string;
  readonly reflection: boolean;
  readonly maxMessageBytes: number;
  readonly maxStreamsPerConnection: number;
  /** Folder of the proto files, for reflection. */
  readonly protoDir: string;
}

const HEALTH_NAMES = ['', 'tandem.v1.ReasoningService'];

export class ApiServer {
  readonly #server: grpc.Server;
  readonly #health: HealthImplementation;
  readonly #options: ApiOptions;

  constructor(router: Router, pool: EnginePool, models: ModelRepository, options: ApiOptions) {
    this.#options = options;
    this.#server = new grpc.Server({
      'grpc.max_receive_message_length': options.maxMessageBytes,
      'grpc.max_concurrent_streams': options.maxStreamsPerConnection,
      'grpc.enable_channelz': 0,
    });
    this.#server.addService(reasoningService, reasoningHandlers(router, options));
    this.#server.addService(modelService, modelHandlers(models, pool, options));
    this.#server.addService(engineAdminService, engineAdminHandlers(pool, options));
    this.#health = new HealthImplementation(Object.fromEntries(HEALTH_NAMES.map((name) => [name, 'NOT_SERVING'])));
    this.#health.addToServer(this.#server);
    if (options.reflection) reflection(options.protoDir).addToServer(this.#server);
  }

  /** Resolves to the bound address. */
  async start(): Promise<string> {
    const { listen } = this.#options;
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(listen, grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(new Error(`cannot listen on ${listen}: ${error.message}`)) : resolve(bound),
      );
    });
    return listen.replace(/:0$/, `:${port}`);
  }

  /** What grpc.health.v1 answers. */
  setServing(serving: boolean): void {
    for (const name of HEALTH_NAMES) this.#health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  }

  /** Refuses new connections and calls, finishes those in flight; after `timeoutMs` cuts what is left. */
  async stop(timeoutMs: number): Promise<void> {
    this.setServing(false);
    const cut = setTimeout(() => this.#server.forceShutdown(), timeoutMs);
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    clearTimeout(cut);
  }
}

function reflection(protoDir: string): ReflectionService {
  const files = ['reasoning', 'models', 'engines'].map((name) => `tandem/v1/${name}.proto`);
  return new ReflectionService(loadSync(files, { includeDirs: [protoDir], keepCase: true }));
}
