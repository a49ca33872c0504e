// Prepares the situation of a row: a separate router with sidecars that all rows share.
import * as grpc from '@grpc/grpc-js';
import { ReasonRequest, type ReasonResponse, type Tensor } from '../../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode, Strategy } from '../../../services/generated/tandem/v1/types.ts';
import { questionHash } from '../../../services/routing/question.ts';
import { affinity } from '../../../services/strategies/affinity.ts';
import { addSpike, flipDigestBit } from '../../fakes/lying-engine.ts';
import { type System, startSystem } from '../../support/system.ts';
import { until } from '../../support/until.ts';
import { type Fleet, Inputs } from './fleet.ts';
import { Operator } from '../../support/operator.ts';
import { type Ask, type Conduct, IDS, type Id, type Row } from './row.ts';

/** Long enough that the others have voted, also on a busy machine. */
const LATE_MS = 50;

const inputs = new Inputs();

export class Stage {
  readonly system: System;
  readonly operator: Operator;
  readonly fleet: Fleet<Id>;
  /** Calls of other callers, with any outcome. */
  readonly #beside: Promise<unknown>[] = [];
  readonly #killed = new Set<Id>();

  private constructor(system: System, fleet: Fleet<Id>) {
    this.system = system;
    this.operator = new Operator(system.adminAddress);
    this.fleet = fleet;
  }

  static async set({ settings = {} }: Row, fleet: Fleet<Id>, modelsDir: string): Promise<Stage> {
    const sidecars = fleet.settings;
    const usual = { models_dir: modelsDir, local: { enabled: false }, sidecars, spawn: { count: 0 } };
    return new Stage(await startSystem({ ...usual, ...settings }), fleet);
  }

  /** Restores all engines for the next row. */
  async clear(): Promise<void> {
    this.fleet.behave();
    await Promise.all([...this.#killed].map((id) => this.fleet.restart(id)));
    await Promise.all(this.#beside);
    this.operator.close();
    await this.system.stop();
  }

  /** An input that AFFINITY also sends to one, then two, then three. */
  nextInput(): Tensor {
    const { engines } = this.system.pool;
    const { modelId } = this.system.pool.served('supersense', 1)!.model;
    const sidecars = engines.filter(({ kind }) => kind === 'sidecar');
    for (;;) {
      const tensor = inputs.next();
      const view = { engines: sidecars, turn: 0, localFirstShare: 1, sidecarFirstShare: 1, random: Math.random };
      const plan = affinity({ ...view, questionHash: () => questionHash(modelId, tensor.data) });
      if (plan.map(({ id }) => id).join() === IDS.join()) return tensor;
    }
  }

  /** One call, which can be cancelled. */
  call(
    { strategy, cache, encoding, model, deadlineMs }: Ask,
    tensor: Tensor,
  ): { answer: Promise<ReasonResponse>; cancel: () => void } {
    const request = ReasonRequest.fromPartial({
      ...(encoding === undefined ? { tensor } : { encoding: [...encoding] }),
      model: model ?? '',
      strategy: strategy === undefined ? 0 : Strategy[`STRATEGY_${strategy}`],
      cache: cache === undefined ? 0 : CacheMode[`CACHE_MODE_${cache}`],
    });
    const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    const { promise: answer, resolve, reject } = Promise.withResolvers<ReasonResponse>();
    const pending = this.system.client.reason(request, new grpc.Metadata(), options, (error, response) =>
      error ? reject(error) : resolve(response),
    );
    return { answer, cancel: () => pending.cancel() };
  }

  beside(work: Promise<unknown>): void {
    this.#beside.push(work.catch(() => undefined));
  }

  async apply(id: Id | 'local', conduct: Conduct): Promise<void> {
    if (conduct === 'drains') {
      await this.operator.drain(id);
      return;
    }
    if (id === 'local') throw new Error(`the local engine cannot be one that "${conduct}"`);
    const front = this.fleet.front(id);
    switch (conduct) {
      case 'fails':
        front.failWith = 'INTERNAL';
        break;
      case 'is full':
        front.failWith = 'ENGINE_FULL';
        break;
      case 'is stopping':
        front.failWith = 'DRAINING';
        break;
      case 'refuses the input':
        front.failWith = 'INPUT_LENGTH';
        break;
      case 'never answers':
        front.stall = true;
        break;
      case 'stands still':
      case 'dies':
        await this.fleet.sidecar(id).pause();
        break;
      case 'is gone':
        await this.kill(id);
        await until(() => this.system.pool.find(id).state === 'DOWN', { what: `the loss of ${id}` });
        break;
      case 'has an open breaker':
        await this.#openBreaker(id);
        break;
      case 'has a half-open breaker':
        await this.#halfOpenBreaker(id);
        break;
      case 'has a half-open breaker, and fails':
        await this.#halfOpenBreaker(id);
        front.failWith = 'INTERNAL';
        break;
      case 'is being tried':
        await this.#halfOpenBreaker(id);
        await this.#occupy(id);
        break;
      case 'lies':
        front.lie = flipDigestBit;
        break;
      case 'lies otherwise':
        front.lie = addSpike;
        break;
      case 'takes its time':
        front.delayMs = LATE_MS;
        break;
    }
  }

  async kill(id: Id): Promise<void> {
    this.#killed.add(id);
    await this.fleet.sidecar(id).kill();
  }

  async taken(id: Id): Promise<void> {
    await until(() => this.fleet.front(id).counts.seen > 0, { what: `${id} to be asked` });
  }

  /** Resets the counts of the preparation. */
  countAnew(): void {
    for (const id of IDS) this.fleet.front(id).counts.seen = 0;
  }

  async #openBreaker(id: Id): Promise<void> {
    const front = this.fleet.front(id);
    front.failWith = 'ENGINE_FAULT';
    const { breaker } = this.system.pool.find(id);
    await this.#alone(id, async () => {
      while (breaker.state === 'CLOSED') {
        await this.call({ strategy: 'AFFINITY' }, this.nextInput()).answer.catch(() => undefined);
      }
    });
    front.failWith = undefined;
  }

  async #halfOpenBreaker(id: Id): Promise<void> {
    await this.#openBreaker(id);
    const { breaker } = this.system.pool.find(id);
    await until(() => breaker.state === 'HALF_OPEN', { what: 'a half-open breaker' });
  }

  /** Sends it a request that it does not answer until the row ends. */
  async #occupy(id: Id): Promise<void> {
    this.fleet.front(id).counts.seen = 0;
    await this.fleet.sidecar(id).pause();
    await this.#alone(id, async () => {
      this.beside(this.call({ strategy: 'AFFINITY' }, this.nextInput()).answer);
      await this.taken(id);
    });
  }

  /** AFFINITY, which has no turns, then goes to this one. */
  async #alone(id: Id, act: () => Promise<void>): Promise<void> {
    const others = IDS.filter((each) => each !== id);
    for (const other of others) await this.operator.drain(other);
    await act();
    for (const other of others) await this.operator.readmit(other);
  }
}
