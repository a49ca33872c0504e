// What all attempts of one call took together.
import type { TokenUsage } from '../../core/agent-observer.ts';
import type { ProviderCost } from '../types.ts';

export class CostTally {
  readonly #model: string;
  #calls = 0;
  #promptTokens = 0;
  #completionTokens = 0;
  #usd = 0;
  #isUpperBound = false;

  constructor(model: string) {
    this.#model = model;
  }

  /** `isUpperBound`: the provider did not say what the attempt took. */
  add({ promptTokens, completionTokens }: TokenUsage, usd: number, isUpperBound: boolean): void {
    this.#calls += 1;
    this.#promptTokens += promptTokens;
    this.#completionTokens += completionTokens;
    this.#usd += usd;
    this.#isUpperBound ||= isUpperBound;
  }

  get cost(): ProviderCost {
    return {
      model: this.#model,
      calls: this.#calls,
      promptTokens: this.#promptTokens,
      completionTokens: this.#completionTokens,
      usd: this.#usd,
      isUpperBound: this.#isUpperBound,
    };
  }
}
