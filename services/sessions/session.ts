// One session: the state after its last answered message, stored as the last snapshot and the inputs since then.
// Engines store nothing: each message contains the state, so any engine can continue.
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
  /** Of the whole session, including this message. */
  readonly steps: number;
  /** State after it; undefined: not requested, and `input` is kept. */
  readonly state: Uint8Array | undefined;
  readonly input: Uint8Array;
  /** Steps of the input; 0 for a constant one. */
  readonly inputSteps: number;
  readonly engineId: string;
  /** Of the readout, of the whole session. */
  readonly spikeCounts: readonly number[];
}

const NOTHING = new Uint8Array(0);
/** Memory of an open session besides its state, inputs and names: objects and a map entry. Measured: about 900. */
const OVERHEAD_BYTES = 1_024;

export class Session {
  readonly caller: string;
  readonly id: string;
  /** Increases with each session. */
  readonly serial: number;
  readonly openedMs: number;
  /** When a message last arrived or was answered. */
  usedMs: number;
  readonly turns = new TurnQueue();
  /** Undefined: no message is answered yet, so the session is not open. */
  model: SessionModel | undefined;
  step = 0;
  messages = 0;
  engineId = '';
  /** Why it has ended; undefined: it has not. */
  ended: Ending | undefined;
  /** The state before `inputs`; empty: step 0. */
  state: Uint8Array = NOTHING;
  /** Inputs of the messages since `state`, which are computed again from there. */
  inputs: Uint8Array[] = [];
  inputSteps = 0;
  #inputBytes = 0;

  constructor(caller: string, id: string, serial: number, nowMs: number) {
    this.caller = caller;
    this.id = id;
    this.serial = serial;
    this.openedMs = this.usedMs = nowMs;
  }

  /** Its memory, bytes. */
  get bytes(): number {
    return OVERHEAD_BYTES + 2 * (this.caller.length + this.id.length) + this.state.length + this.#inputBytes;
  }

  /** Whether the state must be requested; otherwise the next message can start with this one's input. */
  wantsState(steps: number, inputBytes: number, { snapshotBytes, snapshotSteps }: SessionOptions): boolean {
    const { state } = this;
    const isSmall = state.length <= snapshotBytes; // also while no state is known
    const areInputsLarger = this.#inputBytes + inputBytes > state.length;
    return isSmall || areInputsLarger || this.inputSteps + steps >= snapshotSteps;
  }

  /** Additional memory after a message with this input or state, bytes. */
  growth({ state, input }: Pick<Step, 'state' | 'input'>): number {
    return state === undefined ? input.length : state.length - this.state.length - this.#inputBytes;
  }

  apply({ steps, state, input, inputSteps, engineId }: Step): void {
    // Copies: both are views that would keep whole messages in memory.
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
