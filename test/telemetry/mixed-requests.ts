// 10,000 requests of every kind to a router, and the callers' records of them.
import * as grpc from '@grpc/grpc-js';
import {
  type ReasonError,
  ReasonRequest,
  type ReasonResponse,
  ReasoningServiceClient,
} from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { flipDigestBit } from '../fakes/lying-engine.ts';
import { type Fleet, Inputs } from '../integration/router-table/fleet.ts';
import { callBatch } from '../support/batch-call.ts';
import { refusalOf } from '../support/refusal.ts';
import { StreamCaller } from '../support/stream-caller.ts';
import { until } from '../support/until.ts';
import { CallerTally } from './caller-tally.ts';

export const REQUESTS = 10_000;
export const IDS = ['honest', 'second', 'liar'] as const;

/** Concurrent calls: few, so that the router counts each just after it has reported its duration. */
const LANES = 2;

const { CACHE_MODE_BYPASS: BYPASS } = CacheMode;
const { STRATEGY_ROUND_ROBIN: ROUND_ROBIN, STRATEGY_FASTEST: FASTEST, STRATEGY_AFFINITY: AFFINITY } = Strategy;
const UNCACHED = [ROUND_ROBIN, FASTEST, AFFINITY];
const TOO_SHORT = { tensor: undefined, encoding: [1] };
const UNKNOWN = { model: 'no-such-model' };

export class MixedRequests {
  readonly tally = new CallerTally();
  readonly #client: ReasoningServiceClient;
  readonly #fleet: Fleet<(typeof IDS)[number]>;
  readonly #inputs = new Inputs();

  /** For a router with the engines of the fleet, votes of three and ROUND_ROBIN. */
  constructor(address: string, fleet: Fleet<(typeof IDS)[number]>) {
    this.#client = new ReasoningServiceClient(address, grpc.credentials.createInsecure());
    this.#fleet = fleet;
  }

  /** Resolves when all have ended, also for the router: `underWay` returns its number of open inputs. */
  async send(underWay: () => Promise<number>): Promise<void> {
    await this.#many(4_000, (k) => ({ cache: BYPASS, strategy: UNCACHED[k % UNCACHED.length]! }));
    const known = Array.from({ length: 500 }, () => this.#inputs.request());
    await this.#many(2_000, (k) => known[k % 500]!); // each is computed once, in the first round
    await this.#many(500, () => ({ cache: BYPASS, strategy: Strategy.STRATEGY_REDUNDANT }));
    await this.#many(500, () => TOO_SHORT);
    await this.#many(300, () => UNKNOWN);
    await this.#disputes(100);
    await this.#atOnce(20);
    for (let batch = 0; batch < 10; batch += 1) await this.#batch(100);
    for (let stream = 0; stream < 2; stream += 1) await this.#stream(500);
    await this.#givenUp(50, underWay);
    await this.#tooLate(50, underWay);
    while (this.tally.requests < REQUESTS) await this.#ping();
  }

  close(): void {
    this.#client.close();
  }

  async #many(count: number, requestOf: (index: number) => Partial<ReasonRequest>): Promise<void> {
    const queue = Array.from({ length: count }, (_, index) => index).values();
    const lane = async (): Promise<void> => {
      for (const index of queue) await this.#reason({ ...this.#inputs.request(), ...requestOf(index) });
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  async #disputes(count: number): Promise<void> {
    this.#fleet.front('liar').lie = flipDigestBit;
    await this.#many(count, () => ({ cache: BYPASS, strategy: Strategy.STRATEGY_REDUNDANT }));
    this.#fleet.behave();
  }

  /** The same input from all of them while it is computed: few, since the router counts them one after the other. */
  async #atOnce(count: number): Promise<void> {
    for (const id of IDS) this.#fleet.front(id).delayMs = 500;
    const request = this.#inputs.request();
    await Promise.all(Array.from({ length: count }, () => this.#reason(request)));
    this.#fleet.behave();
  }

  async #batch(count: number): Promise<void> {
    const results = await callBatch(this.#client, this.#items(count)).results;
    for (const { outcome } of results) this.#item('ReasonBatch.item', outcome!);
    this.tally.ended('ReasonBatch');
  }

  async #stream(count: number): Promise<void> {
    const stream = new StreamCaller(this.#client);
    for (const item of this.#items(count)) stream.send(item);
    stream.end();
    await stream.ended;
    for (const { outcome } of stream.answers) this.#item('ReasonStream.item', outcome!);
    this.tally.ended('ReasonStream');
  }

  /** One in ten is wrong. */
  #items(count: number): Partial<ReasonRequest>[] {
    return Array.from({ length: count }, (_, k) => (k % 10 === 9 ? TOO_SHORT : this.#inputs.request()));
  }

  #item(
    type: string,
    outcome: { $case: 'result'; value: ReasonResponse } | { $case: 'error'; value: ReasonError },
  ): void {
    if (outcome.$case === 'result') this.tally.answered(type, outcome.value);
    else this.tally.failed(type, `${grpc.status[outcome.value.code]}/${outcome.value.reason}`);
  }

  /** Their callers cancel while engines do not answer. */
  async #givenUp(count: number, underWay: () => Promise<number>): Promise<void> {
    await this.#unanswered(count, {}, underWay, (calls) => {
      for (const { cancel } of calls) cancel();
    });
    for (let k = 0; k < count; k += 1) this.tally.failed('Reason', 'CANCELLED/CANCELLED');
  }

  async #tooLate(count: number, underWay: () => Promise<number>): Promise<void> {
    await this.#unanswered(count, { deadline: Date.now() + 2_000 }, underWay, () => undefined);
    for (let k = 0; k < count; k += 1) this.tally.failed('Reason', 'DEADLINE_EXCEEDED/DEADLINE_EXCEEDED');
  }

  async #unanswered(
    count: number,
    options: grpc.CallOptions,
    underWay: () => Promise<number>,
    then: (calls: readonly Call[]) => void,
  ): Promise<void> {
    for (const id of IDS) this.#fleet.front(id).stall = true;
    const calls = Array.from({ length: count }, () => {
      this.tally.planned('ROUND_ROBIN');
      return this.#call({ ...this.#inputs.request(), cache: BYPASS }, options);
    });
    await until(async () => (await underWay()) === count, { what: 'all of them under way' });
    then(calls);
    await Promise.allSettled(calls.map(({ answer }) => answer));
    await until(async () => (await underWay()) === 0, { what: 'their end' });
    this.#fleet.behave();
  }

  async #reason(request: Partial<ReasonRequest>): Promise<void> {
    const { answer } = this.#call(request);
    try {
      this.tally.answered('Reason', await answer);
    } catch {
      const { code, reason } = await refusalOf(answer);
      this.tally.failed('Reason', `${code}/${reason}`);
    }
  }

  #call(request: Partial<ReasonRequest>, options: grpc.CallOptions = {}): Call {
    const { promise: answer, resolve, reject } = Promise.withResolvers<ReasonResponse>();
    const whole = ReasonRequest.fromPartial(request);
    const call = this.#client.reason(whole, new grpc.Metadata(), options, (error, response) =>
      error ? reject(error) : resolve(response),
    );
    return { answer, cancel: () => call.cancel() };
  }

  async #ping(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#client.ping({}, (error) => (error ? reject(error) : resolve()));
    });
    this.tally.ended('Ping');
  }
}

interface Call {
  readonly answer: Promise<ReasonResponse>;
  cancel(): void;
}
