// An operator's view of one engine from the start of a fault: the time of its exclusion, and the reports that name it
// and the cause.
import * as grpc from '@grpc/grpc-js';
import { BreakerState, type EngineStatus, EngineState } from '../../services/generated/tandem/v1/engines.ts';
import { type Event, EventServiceClient, Severity } from '../../services/generated/tandem/v1/events.ts';
import { EventReader } from '../support/event-reader.ts';
import { Operator } from '../support/operator.ts';
import { pause } from './scenario.ts';

const POLL_MS = 25;

export interface Seen {
  /** From the start of the fault; undefined: it was never excluded. */
  readonly outMs: number | undefined;
  /** Each report names the engine and the reason; empty if it does not. */
  readonly inEngines: string;
  readonly inEvent: string;
  readonly inAlert: string;
  /** The time of that alert, from the start of the fault. */
  readonly alertMs: number | undefined;
  /** Events that report it down; repeated events count once. */
  readonly downEvents: number;
}

/** It gets requests like the others. */
export function isIn({ state, breaker }: EngineStatus): boolean {
  return state === EngineState.ENGINE_STATE_READY && breaker === BreakerState.BREAKER_STATE_CLOSED;
}

/** The last reason why its breaker opened; empty: none. */
function whyOpen({ breakerEvents }: EngineStatus): string {
  return breakerEvents.findLast(({ state }) => state === BreakerState.BREAKER_STATE_OPEN)?.why ?? '';
}

export class EngineWatch {
  readonly #id: string;
  readonly #operator: Operator;
  readonly #events: EventServiceClient;
  readonly #reader: EventReader;
  readonly #beganMs = performance.now();
  readonly #polling: Promise<void>;
  #outMs: number | undefined;
  #why = '';
  #alertMs: number | undefined;
  #isOver = false;

  constructor(address: string, id: string) {
    this.#id = id;
    this.#operator = new Operator(address);
    this.#events = new EventServiceClient(address, grpc.credentials.createInsecure());
    this.#reader = new EventReader(this.#events);
    this.#reader.ended.catch(() => undefined); // it is cancelled, or the router is gone
    this.#polling = this.#poll();
  }

  /** Ends it. */
  async end(): Promise<Seen> {
    this.#isOver = true;
    await this.#polling;
    this.#reader.cancel();
    this.#events.close();
    this.#operator.close();
    const { events } = this.#reader;
    const about = events.filter(({ topic, data }) => topic !== 'alert' && data['engine'] === this.#id);
    const cause = about.find(({ data }) => data['why'] !== undefined && data['why'] !== '');
    const alert = this.#alert();
    return {
      outMs: this.#outMs,
      inEngines: this.#why,
      inEvent: cause === undefined ? '' : `${cause.text}: ${cause.data['why']}`,
      inAlert: alert?.text ?? '',
      alertMs: this.#alertMs,
      downEvents: about.filter(({ count, text }) => count <= 1n && text === 'engine down').length,
    };
  }

  #alert(): Event | undefined {
    return this.#reader.events.find(({ topic, text, severity }) => {
      return topic === 'alert' && severity !== Severity.SEVERITY_INFO && text.includes(this.#id);
    });
  }

  async #poll(): Promise<void> {
    while (!this.#isOver) {
      if (this.#alert() !== undefined) this.#alertMs ??= performance.now() - this.#beganMs;
      const status = await this.#operator.engine(this.#id).catch(() => undefined);
      if (status !== undefined && !isIn(status)) {
        this.#outMs ??= performance.now() - this.#beganMs;
        this.#why = status.stateReason || whyOpen(status) || this.#why;
      }
      await pause(POLL_MS);
    }
  }
}
