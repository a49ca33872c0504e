// Decodes an InferStreamResponse directly to inferences, one result at a time, and only if a caller waits for it. The
// bytes have passed checkInferMessage, so fields are inside their messages.
import type { Inference, LayerActivity } from '../../core/inference.ts';
import { InferError, LayerActivity as WireLayer } from '../../generated/tandem/engine/v1/engine.ts';
import { toLayer } from './translate.ts';

/** Field numbers and wire types, encoded. */
const RESULT = 0x0a;
const [ID, INFERENCE, ERROR] = [0x08, 0x12, 0x1a];
const [MODEL_VERSION, STEPS, SPIKE_COUNT, SPIKE_COUNTS, POTENTIALS] = [0x08, 0x10, 0x18, 0x1a, 0x22];
const [TOTAL_SPIKES, SYNAPTIC_OPERATIONS, STATE_DIGEST, QUEUE_US, COMPUTE_US] = [0x28, 0x30, 0x39, 0x40, 0x48];
const [READOUT_DIGEST, LAYER, BATCH_ITEMS, RECORDING_ID, STATE] = [0x51, 0x5a, 0x60, 0x69, 0x72];
const READOUT_PER_STEP = 0x7a;

const MAX_VARINT_BYTES = 10;
const NO_BYTES = Buffer.alloc(0);
/** Copied for the numbers of an answer of usual size. */
const ZEROS: number[] = Array.from({ length: 1_024 }, () => 0);
const NO_VIEW = new DataView(new ArrayBuffer(0));

export class InferResults {
  /** Id of the current result; not exact above 2^53 - 1. */
  id = 0;
  outcome: 'inference' | 'error' | 'none' = 'none';
  #bytes: Buffer = NO_BYTES;
  /** Of the same bytes. */
  #bits: DataView = NO_VIEW;
  #at = 0;
  /** End of the current result. */
  #next = 0;
  /** Position of its outcome. */
  #start = 0;
  #end = 0;

  /** A new message. */
  begin(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#bits = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#next = 0;
  }

  /** Moves to the next result. Returns false if there is none; then the message is released. */
  next(): boolean {
    this.#at = this.#next;
    while (this.#at < this.#bytes.length) {
      const tag = this.#varint();
      if (tag !== RESULT) {
        this.#skip(tag);
        continue;
      }
      const length = this.#varint();
      this.#next = this.#at + length;
      this.#readResult(this.#next);
      return true;
    }
    this.#bytes = NO_BYTES;
    this.#bits = NO_VIEW;
    return false;
  }

  /** Call if `outcome` is "inference". Throws if it cannot be decoded. */
  inference(): Inference {
    let modelVersion = 0;
    let steps = 0;
    let queueUs = 0;
    let computeUs = 0;
    let batchItems = 0;
    let totalSpikes = 0n;
    let synapticOperations = 0n;
    let stateDigest = 0n;
    let readoutDigest = 0n;
    let recordingId = 0n;
    let spikeCounts: number[] = [];
    let potentials: Uint8Array = NO_BYTES;
    let layers: LayerActivity[] | undefined;
    let readoutPerStep: Uint8Array | undefined;
    let state: Uint8Array | undefined;
    this.#at = this.#start;
    const end = this.#end;
    while (this.#at < end) {
      const tag = this.#varint();
      switch (tag) {
        case MODEL_VERSION:
          modelVersion = this.#varint();
          break;
        case STEPS:
          steps = this.#varint();
          break;
        case SPIKE_COUNT:
          spikeCounts.push(this.#varint());
          break;
        case SPIKE_COUNTS:
          if (spikeCounts.length === 0) spikeCounts = this.#varints();
          else for (const count of this.#varints()) spikeCounts.push(count);
          break;
        case POTENTIALS:
          potentials = this.#view();
          break;
        case TOTAL_SPIKES:
          totalSpikes = this.#big();
          break;
        case SYNAPTIC_OPERATIONS:
          synapticOperations = this.#big();
          break;
        case STATE_DIGEST:
          stateDigest = this.#fixed64();
          break;
        case QUEUE_US:
          queueUs = this.#varint();
          break;
        case COMPUTE_US:
          computeUs = this.#varint();
          break;
        case READOUT_DIGEST:
          readoutDigest = this.#fixed64();
          break;
        case LAYER:
          (layers ??= []).push(toLayer(WireLayer.decode(this.#view())));
          break;
        case READOUT_PER_STEP:
          readoutPerStep = this.#view();
          break;
        case BATCH_ITEMS:
          batchItems = this.#varint();
          break;
        case RECORDING_ID:
          recordingId = this.#fixed64();
          break;
        case STATE:
          // A copy, because it lives much longer than the message.
          state = Uint8Array.from(this.#view());
          break;
        default:
          this.#skip(tag);
      }
    }
    return {
      modelVersion,
      steps,
      spikeCounts,
      potentials,
      totalSpikes,
      synapticOperations,
      stateDigest,
      readoutDigest,
      queueUs,
      computeUs,
      batchItems,
      recordingId,
      layers,
      readoutPerStep,
      state,
    };
  }

  /** Call if `outcome` is "error". Throws if it cannot be decoded. */
  error(): InferError {
    return InferError.decode(this.#bytes.subarray(this.#start, this.#end));
  }

  #readResult(end: number): void {
    this.id = 0;
    this.outcome = 'none';
    while (this.#at < end) {
      const tag = this.#varint();
      if (tag === ID) this.id = this.#varint();
      else if (tag === INFERENCE || tag === ERROR) {
        const length = this.#varint();
        this.outcome = tag === INFERENCE ? 'inference' : 'error';
        this.#start = this.#at;
        this.#end = this.#at + length;
        this.#at = this.#end;
      } else this.#skip(tag);
    }
  }

  #skip(tag: number): void {
    const wireType = tag & 7;
    if (wireType === 1) this.#at += 8;
    else if (wireType === 5) this.#at += 4;
    else if (wireType === 2) this.#view();
    else this.#varint();
  }

  #view(): Uint8Array {
    const length = this.#varint();
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  /** Reads packed numbers. */
  #varints(): number[] {
    const length = this.#varint();
    const end = this.#at + length;
    let count = 0;
    for (let at = this.#at; at < end; at += 1) if (this.#bytes[at]! < 128) count += 1;
    // At once of the right size: an array that grows to 45 numbers takes three times the memory.
    const numbers = count <= ZEROS.length ? ZEROS.slice(0, count) : Array<number>(count).fill(0);
    for (let k = 0; k < count; k += 1) numbers[k] = this.#varint();
    if (this.#at !== end) throw new Error('a number is longer than its field');
    return numbers;
  }

  #fixed64(): bigint {
    const at = this.#at;
    this.#at += 8;
    // Buffer's readBigUInt64LE allocates three numbers.
    return this.#bits.getBigUint64(at, true);
  }

  /** Of 64 bits. */
  #big(): bigint {
    const start = this.#at;
    const value = this.#varint();
    if (value <= Number.MAX_SAFE_INTEGER) return BigInt(value);
    let exact = 0n;
    for (let at = start; at < this.#at; at += 1) exact |= BigInt(this.#bytes[at]! & 127) << BigInt(7 * (at - start));
    return BigInt.asUintN(64, exact);
  }

  /** Not exact above 2^53 - 1. */
  #varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++]!;
    if (byte < 128) return byte;
    let value = byte & 127;
    let factor = 128;
    for (let k = 1; k < MAX_VARINT_BYTES && this.#at < bytes.length; k += 1) {
      byte = bytes[this.#at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
    throw new Error('a number does not end');
  }
}
