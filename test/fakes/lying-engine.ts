// A proxy of a real sidecar that lies, refuses, delays or counts, controlled by a test.
import { randomBytes } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import { toGrpcJs } from '../../services/api/grpc-js/call.ts';
import { toStatus } from '../../services/api/status.ts';
import { type ErrorKind, RouterError } from '../../services/core/errors.ts';
import { readoutDigest } from '../../services/engines/readout-digest.ts';
import {
  type DescribeRequest,
  type DescribeResponse,
  EngineServiceClient,
  EngineServiceService,
  type GetRecordingRequest,
  type GetRecordingResponse,
  type InferItem,
  type InferRequest,
  type InferResponse,
  type InferResult,
  type InferStreamRequest,
  type InferStreamResponse,
  type Inference,
} from '../../services/generated/tandem/engine/v1/engine.ts';
import { Random } from '../fuzz/random.ts';
import { unusedSocket } from '../support/sidecar.ts';
import type { FakeStream } from './fake-sidecar.ts';

/** The results to send instead of the correct one. Empty: the item is never answered. */
export type Tamper = (honest: InferResult, item: InferItem) => readonly InferResult[];

/** The lie; undefined: the truth. */
export type Lie = (truth: Inference, item: InferItem) => Inference | undefined;

export const flipDigestBit: Lie = (truth) => ({ ...truth, stateDigest: truth.stateDigest ^ 1n });

/** The state digest stays: only a comparison of the answers or of their readout digests finds it. */
export const addSpike: Lie = (truth) => {
  const spikeCounts = truth.spikeCounts.map((count, at) => (at === 0 ? count + 1 : count));
  const answer = { ...truth, spikeCounts };
  // A full answer is a well-formed answer to another input.
  return { ...answer, readoutDigest: spikeCounts.length > 0 ? readoutDigest(answer) : truth.readoutDigest ^ 1n };
};

/** The state digest stays here, too. A full answer is malformed. */
export const answerNaN: Lie = (truth) => ({
  ...truth,
  readoutDigest: truth.readoutDigest ^ 2n,
  potentials: new Uint8Array(new Float32Array(truth.potentials.length / 4).fill(NaN).buffer),
});

type GetRecordingHandler = grpc.handleUnaryCall<GetRecordingRequest, GetRecordingResponse>;

export class LyingEngine {
  readonly address = unusedSocket();

  lie: Lie | undefined;
  /** Share of the answers, 0 to 1. */
  lieShare = 1;
  /**
   * Replaces every result of the stream. The real sidecar then sends full answers, even if only digests are requested.
   */
  tamper: Tamper | undefined;
  /** Refuses items with this reason, without the real sidecar. */
  failWith: ErrorKind | undefined;
  /** Share of the items, 0 to 1. */
  failShare = 1;
  /** Accepts items and never answers them, not even after the stall has ended. */
  stall = false;
  /** Changes its description. */
  describe: (truth: DescribeResponse) => DescribeResponse = (truth) => truth;
  /** Changes the items for the real sidecar. */
  rewrite: (item: InferItem) => InferItem = (item) => item;
  /** Replaces the recording of the real sidecar; undefined: it never answers. */
  recording: (() => GetRecordingResponse | undefined) | undefined;
  /** Delay of answers and refusals. */
  delayMs = 0;
  /** Called for each opened stream. */
  onStream: (stream: FakeStream) => void = () => undefined;
  /** Open streams. */
  readonly streams = new Set<FakeStream>();

  /** Numbers of items: received, answered (with a lie; `tamper` counts as one), refused by `failWith`, cancelled. */
  readonly counts = { seen: 0, answered: 0, lied: 0, refused: 0, cancelled: 0 };

  readonly #real: EngineServiceClient;
  readonly #random: Random;
  /** It has its own instance id, and its messages have no checksums. */
  readonly #self = { instanceId: randomBytes(16), checksums: false, checksum: 0n };
  readonly #server = new grpc.Server();

  /** `seed` selects the items with a lie, in the order of items and answers. */
  constructor(sidecarAddress: string, seed = 1) {
    this.#random = new Random(seed);
    this.#real = new EngineServiceClient(sidecarAddress, grpc.credentials.createInsecure(), {
      // A restarted sidecar must be connected here before the router reconnects.
      'grpc.initial_reconnect_backoff_ms': 20,
      'grpc.max_reconnect_backoff_ms': 50,
    });
  }

  async start(): Promise<this> {
    this.#server.addService(EngineServiceService, {
      describe: ((_call, callback) =>
        this.#real.describe({}, (error, truth) =>
          error ? callback(error) : callback(null, this.describe({ ...truth, ...this.#self })),
        )) as grpc.handleUnaryCall<DescribeRequest, DescribeResponse>,
      infer: ((call, callback) => this.#infer(call, callback)) as grpc.handleUnaryCall<InferRequest, InferResponse>,
      inferStream: ((stream) => this.#inferStream(stream)) as grpc.handleBidiStreamingCall<
        InferStreamRequest,
        InferStreamResponse
      >,
      getRecording: ((call, callback) => this.#getRecording(call, callback)) as GetRecordingHandler,
    });
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(this.address, grpc.ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      );
    });
    return this;
  }

  stop(): void {
    this.#server.forceShutdown();
    this.#real.close();
  }

  #infer(call: grpc.ServerUnaryCall<InferRequest, InferResponse>, callback: grpc.sendUnaryData<InferResponse>): void {
    const { item } = call.request;
    let done = false;
    const reply: typeof callback = (...answer) => {
      this.#later(() => {
        done = true;
        callback(...answer);
      });
    };
    // The library emits this at the end of every call.
    call.once('cancelled', () => {
      if (!done) this.counts.cancelled += 1;
    });
    const decision = this.#take();
    if (decision instanceof RouterError) reply(toGrpcJs(toStatus(decision)));
    if (decision !== 'forward') return;
    const options = { deadline: call.getDeadline() };
    const forwarded = this.#real.infer(call.request, new grpc.Metadata(), options, (error, response) => {
      if (error) reply(error);
      else reply(null, { inference: this.#tell(response.inference!, item!) });
    });
    call.once('cancelled', () => forwarded.cancel());
  }

  #getRecording(...[{ request }, callback]: Parameters<GetRecordingHandler>): void {
    if (this.recording === undefined) {
      this.#real.getRecording(request, (error, response) => callback(error, response));
      return;
    }
    const said = this.recording();
    if (said !== undefined) callback(null, said);
  }

  #inferStream(stream: FakeStream): void {
    const real = this.#real.inferStream();
    const forwarded = new Map<bigint, InferItem>();
    const reply = (results: InferResult[]): void => {
      if (results.length > 0) this.#later(() => stream.cancelled || stream.write({ results, checksum: 0n }));
    };
    stream.on('data', ({ items, cancelIds }: InferStreamRequest) => {
      this.counts.cancelled += cancelIds.length;
      const refused: InferResult[] = [];
      const honest = items.filter((item) => {
        const decision = this.#take();
        if (decision instanceof RouterError) refused.push(refusal(item.id, decision));
        if (decision === 'forward') forwarded.set(item.id, item);
        return decision === 'forward';
      });
      reply(refused);
      if (honest.length > 0 || cancelIds.length > 0) {
        real.write({ items: honest.map((item) => this.#ask(item)), cancelIds, checksum: 0n });
      }
    });
    stream.on('end', () => real.end());
    stream.on('error', () => undefined);
    stream.once('cancelled', () => real.cancel());
    stream.once('close', () => this.streams.delete(stream));
    this.streams.add(stream);
    this.onStream(stream);
    real.on('data', ({ results }: InferStreamResponse) => {
      reply(
        results.flatMap((result) => {
          const item = forwarded.get(result.id)!;
          forwarded.delete(result.id);
          return this.#results(result, item);
        }),
      );
    });
    real.on('end', () => this.#later(() => stream.end()));
    // Its sidecar is lost, so its own connections end at once, like those of a process that dies.
    real.on('error', (error) => stream.emit('error', error));
  }

  /** The fate of the next item. */
  #take(): 'forward' | 'stall' | RouterError {
    this.counts.seen += 1;
    if (this.stall) return 'stall';
    if (this.failWith === undefined || !this.#random.chance(this.failShare)) return 'forward';
    this.counts.refused += 1;
    return new RouterError(this.failWith, 'on purpose');
  }

  #ask(item: InferItem): InferItem {
    const rewritten = this.rewrite(item);
    return this.tamper === undefined ? rewritten : { ...rewritten, digestOnly: false };
  }

  #results(honest: InferResult, item: InferItem): readonly InferResult[] {
    const { id, outcome } = honest;
    if (this.tamper !== undefined && this.#random.chance(this.lieShare)) {
      this.counts.answered += 1;
      this.counts.lied += 1;
      return this.tamper(honest, item);
    }
    if (outcome?.$case !== 'inference') return [{ id, outcome }];
    return [{ id, outcome: { $case: 'inference', value: this.#tell(outcome.value, item) } }];
  }

  #tell(truth: Inference, item: InferItem): Inference {
    this.counts.answered += 1;
    const answer = this.lie !== undefined && this.#random.chance(this.lieShare) ? this.lie(truth, item) : undefined;
    if (answer !== undefined) this.counts.lied += 1;
    return answer ?? truth;
  }

  #later(answer: () => void): void {
    if (this.delayMs === 0) answer();
    else setTimeout(answer, this.delayMs);
  }
}

function refusal(id: bigint, error: RouterError): InferResult {
  const { code, message } = toStatus(error);
  const value = { code, reason: error.kind, message, metadata: {}, recordingId: 0n };
  return { id, outcome: { $case: 'error', value } };
}
