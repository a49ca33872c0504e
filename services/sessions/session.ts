// One session: the state after its last answered message, as the last snapshot of it and the inputs since. Engines keep
// nothing: each message takes the state along, so that any engine can go on.
import type { Ending, SessionOptions } from './options.ts';
import { TurnQueue } from './turn-queue.ts';

/** The model version that a session runs. */
export interface SessionModel {
  readonly name: string;
  readonly version: number;
  /** Identity of weights and run settings. */
  readonly modelId: bigint;
}

/** An answered message. */
export interface Step {
  /** Of the whole session, this message's among them. */
  readonly steps: number;
  /** After it; undefined: it was not asked for, and `input` is kept. */
  readonly state: Uint8Array | undefined;
  readonly input: Uint8Array;
  /** Of the input; 0 for a constant one. */
  readonly inputSteps: number;
  readonly engineId: string;
  /** Of the readout, of the whole session. */
  readonly spikeCounts: readonly number[];
}

const NOTHING = new Uint8Array(0);
/** What an open session takes beside its state, inputs and names: objects and a map's entry. Measured: about 900. */
const OVERHEAD_BYTES = 1_024;

export class Session {
  readonly caller: string;
  readonly id: string;
  /** Rises from session to session. */
  readonly serial: number;
  readonly openedMs: number;
  /** When a message last came or was answered. */
  usedMs: number;
  readonly turns = new TurnQueue();
  /** Undefined: no message has been answered yet, and the session is not open. */
  model: SessionModel | undefined;
  step = 0;
  messages = 0;
  engineId = '';
  /** Why nothing more may be computed in it; undefined: it may. */
  ended: Ending | undefined;
  /** After the steps before `inputs`; empty: those begin at step 0. */
  state: Uint8Array = NOTHING;
  /** Of the messages since `state`, to be computed again from there. */
  inputs: Uint8Array[] = [];
  inputSteps = 0;
  #inputBytes = 0;

  constructor(caller: string, id: string, serial: number, nowMs: number) {
    this.caller = caller;
    this.id = id;
    this.serial = serial;
    this.openedMs = this.usedMs = nowMs;
  }

  /** Memory that it takes. */
  get bytes(): number {
    return OVERHEAD_BYTES + 2 * (this.caller.length + this.id.length) + this.state.length + this.#inputBytes;
  }

  /** Whether the state must be asked for: else the next message can start from this one's input. */
  wantsState(steps: number, inputBytes: number, { snapshotBytes, snapshotSteps }: SessionOptions): boolean {
    const { state } = this;
    const isSmall = state.length <= snapshotBytes; // also while no state is known
    const areInputsLarger = this.#inputBytes + inputBytes > state.length;
    return isSmall || areInputsLarger || this.inputSteps + steps >= snapshotSteps;
  }

  /** Bytes that it will take more after a message with such an input or state. */
  growth({ state, input }: Pick<Step, 'state' | 'input'>): number {
    return state === undefined ? input.length : state.length - this.state.length - this.#inputBytes;
  }

  apply({ steps, state, input, inputSteps, engineId }: Step): void {
    // Copies: both are views into whole messages.
    if (state === undefined) {
      this.inputs.push(new Uint8Array(input));
      this.inputSteps += inputSteps;
      this.#inputBytes += input.length;
    } else {
      this.setState(state);
    }
    this.step = steps;
    this.engineId = engineId;
  }

  setState(state: Uint8Array): void {
    this.state = new Uint8Array(state);
    this.inputs = [];
    this.inputSteps = this.#inputBytes = 0;
  }
}
