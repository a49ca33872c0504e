// Those of services/engines; see equivalent.ts.

export interface Equivalent {
  readonly file: string;
  /** The lines without their indentation. */
  readonly before: string;
  readonly after: string;
  readonly why: string;
}

export const EQUIVALENT_ENGINES: readonly Equivalent[] = [
  {
    file: 'services/engines/local/runtime-node.ts',
    before: 'padded.set(constants.weight!.subarray(column * outputSize, (column + 1) * outputSize), column * stride);',
    after: 'padded.set(constants.weight!.subarray(column * outputSize, (column + 2) * outputSize), column * stride);',
    why: 'What is too much is overwritten by the next column, or lies in the padding, which no output is read from.',
  },
  {
    file: 'services/engines/check-layers.ts',
    before: 'let [lastStep, lastNeuron, inStep] = [-1, -1, 0];',
    after: 'let [lastStep, lastNeuron, inStep] = [-1, -1, 1];',
    why: 'The first event starts a step, which sets the count.',
  },
  {
    file: 'services/engines/pooled-engine.ts',
    before: 'isPanicking = false;',
    after: ';',
    why: 'It is undefined then, which is read like false; and the type checker refuses it.',
  },
  {
    file: 'services/engines/local/recording-ring.ts',
    before: 'if (taken > this.memory.length / LARGEST_SHARE) return -1;',
    after: 'if (taken > this.memory.length / LARGEST_SHARE) return -2;',
    why: 'Any negative number means that the recording is not kept.',
  },
  {
    file: 'services/engines/local/neuron-step.ts',
    before: 'const NEVER_REACHED = (2 - 2 ** -23) * 2 ** 127;',
    after: 'const NEVER_REACHED = (3 - 2 ** -23) * 2 ** 127;',
    why: 'As binary32 it is Infinity, which is never reached either.',
  },
  {
    file: 'services/engines/local/simulator.ts',
    before: 'for (let k = 0; k < p.length; k += 1) potentials[k] = potentials[k]! + p[k]!;',
    after: 'for (let k = 0; k <= p.length; k += 1) potentials[k] = potentials[k]! + p[k]!;',
    why: 'A typed array ignores what is written behind its end.',
  },
  {
    file: 'services/engines/local/decay-factor.ts',
    before: 'let sum: Pair = [1, 0];',
    after: 'let sum: Pair = [2, 0];',
    why: 'The first term of the series is smaller than the last bit of the sum.',
  },
  {
    file: 'services/engines/sidecar/compatibility.ts',
    before: 'const advice = upgrade(theirs.numerics < ours.numerics);',
    after: 'const advice = upgrade(theirs.numerics <= ours.numerics);',
    why: 'The versions differ here.',
  },
  {
    file: 'services/engines/local/neuron-kernels.ts',
    before: 'return [...set, 0, 0, 0, 0].slice(0, 4);',
    after: 'return [...set, 0, 1, 0, 0].slice(0, 4);',
    why: 'Only the lanes that are set are read: the next vector overwrites the others, or they lie behind the end of the list.',
  },
  {
    file: 'services/engines/sidecar/infer-request.ts',
    before: 'const length = input.data.length + state.length;',
    after: 'const length = input.data.length - state.length;',
    why: 'A hint: after a smaller one the contents are moved.',
  },
  {
    file: 'services/engines/local/simulation-thread.ts',
    before: 'let from = -1;',
    after: 'let from = -2;',
    why: 'Any negative number means that the run is not recorded.',
  },
  {
    file: 'services/engines/local/simulation-thread.ts',
    before: 'if (!batchDone && now - answeredAt < ANSWER_EVERY_MS) continue;',
    after: 'if (!batchDone && now - answeredAt <= ANSWER_EVERY_MS) continue;',
    why: 'No clock shows one exact millisecond.',
  },
  {
    file: 'services/engines/local/conv-step.ts',
    before: '...([0, 0, stride, 0, 0] as const),',
    after: '...([1, 0, stride, 0, 0] as const),',
    why: 'It is set for each source before it is read.',
  },
  {
    file: 'services/engines/local/conv-step.ts',
    before: '...([0, 0, stride, 0, 0] as const),',
    after: '...([0, 1, stride, 0, 0] as const),',
    why: 'It is set for each source before it is read.',
  },
  {
    file: 'services/engines/local/conv-step.ts',
    before: '...([0, 0, stride, 0, 0] as const),',
    after: '...([0, 0, stride, 1, 0] as const),',
    why: 'It is set for each source before it is read.',
  },
  {
    file: 'services/engines/local/conv-step.ts',
    before: 'for (let group = 0; group < groups; group += 1) {',
    after: 'for (let group = 0; group <= groups; group += 1) {',
    why: 'A typed array ignores what is written behind its end.',
  },
  {
    file: 'services/engines/local/conv-step.ts',
    before: 'for (let at = group * plane * stride, end = at + plane * stride; at < end; at += stride) {',
    after: 'for (let at = group * plane * stride, end = at + plane * stride; at <= end; at += stride) {',
    why: 'The next group overwrites it, or it is behind the end of the array.',
  },
  {
    file: 'services/engines/local/conv-step.ts',
    before: 'for (let k = 0; k < groupOut; k += 1) sums[at + k] = bias[first + k]!;',
    after: 'for (let k = 0; k <= groupOut; k += 1) sums[at + k] = bias[first + k]!;',
    why: 'The next place overwrites it, or it lies in the padding, which nothing reads.',
  },
  {
    file: 'services/engines/local/conv-step.ts',
    before: '...([0, 0, stride, 0, 0] as const),',
    after: '...([0, 0, stride, 0, 1] as const),',
    why: 'It is set for each source before it is read.',
  },
  {
    file: 'services/engines/local/simulation-worker.ts',
    before: 'this.#life += 1;',
    after: 'this.#life -= 1;',
    why: 'The numbers of the threads still differ.',
  },
  {
    file: 'services/engines/sidecar/outbox.ts',
    before: 'if (count < this.#jobs.length) return { jobs: this.#jobs.splice(0, count), cancelIds };',
    after: 'if (count <= this.#jobs.length) return { jobs: this.#jobs.splice(0, count), cancelIds };',
    why: 'All jobs are taken either way; the line only saves a copy.',
  },
  {
    file: 'services/engines/sidecar/infer-results.ts',
    before: 'this.#bytes = NO_BYTES;',
    after: ';',
    why: 'It only releases memory.',
  },
  {
    file: 'services/engines/sidecar/infer-results.ts',
    before: '#at = 0;',
    after: '#at = 1;',
    why: 'It is set before it is read.',
  },
  {
    file: 'services/engines/sidecar/infer-results.ts',
    before: '#next = 0;',
    after: '#next = 1;',
    why: 'It is set before it is read.',
  },
  {
    file: 'services/engines/sidecar/infer-results.ts',
    before: '#start = 0;',
    after: '#start = 1;',
    why: 'It is set before it is read.',
  },
  {
    file: 'services/engines/sidecar/infer-results.ts',
    before: '#end = 0;',
    after: '#end = 1;',
    why: 'It is set before it is read.',
  },
  {
    file: 'services/engines/breaker.ts',
    before: 'const THRESHOLD_SLACK = 1e-9;',
    after: 'const THRESHOLD_SLACK = 1e-10;',
    why: 'It only has to exceed the error of a rate.',
  },
  {
    file: 'services/engines/breaker.ts',
    before: 'timeout: false as const,',
    after: 'timeout: true as const,',
    why: 'Its calls end before a timer could.',
  },
  {
    file: 'services/engines/breaker.ts',
    before: 'rollingPercentilesEnabled: false,',
    after: 'rollingPercentilesEnabled: true,',
    why: 'It only costs: nobody reads the percentiles.',
  },
  {
    file: 'services/engines/breaker.ts',
    before: 'enableSnapshots: false,',
    after: 'enableSnapshots: true,',
    why: 'It only costs: nobody reads the snapshots.',
  },
  {
    file: 'services/engines/breaker.ts',
    before: "for (let bucket = 0; bucket < BUCKETS; bucket += 1) this.#window.emit('rotate');",
    after: "for (let bucket = 0; bucket <= BUCKETS; bucket += 1) this.#window.emit('rotate');",
    why: 'All buckets are empty already.',
  },
  {
    file: 'services/engines/infer-checked.ts',
    before: 'if (digest !== 0n && computeUs + queueUs <= CLOCK_SLACK_US) return inference;',
    after: 'if (digest !== 0n && computeUs + queueUs < CLOCK_SLACK_US) return inference;',
    why: 'The next line returns it, too.',
  },
  {
    file: 'services/engines/infer-checked.ts',
    before: 'if (digest !== 0n && computeUs + queueUs <= elapsedUs) return inference;',
    after: 'if (digest !== 0n && computeUs + queueUs < elapsedUs) return inference;',
    why: 'Times that are exactly possible are not changed below either.',
  },
  {
    file: 'services/engines/check-layers.ts',
    before: 'let [lastStep, lastNeuron, inStep] = [-1, -1, 0];',
    after: 'let [lastStep, lastNeuron, inStep] = [-2, -1, 0];',
    why: 'Any negative number is below every step.',
  },
  {
    file: 'services/engines/check-layers.ts',
    before: 'let [lastStep, lastNeuron, inStep] = [-1, -1, 0];',
    after: 'let [lastStep, lastNeuron, inStep] = [-1, -2, 0];',
    why: 'It is read only from the second event on.',
  },
  {
    file: 'services/engines/check-answer.ts',
    before: 'for (let at = 3; at < bytes.length; at += 4) {',
    after: 'for (let at = 3; at <= bytes.length; at += 4) {',
    why: 'The length is a multiple of four, which `at` never is.',
  },
  {
    file: 'services/engines/concurrency-limit.ts',
    before: '#before = 0;',
    after: '#before = 1;',
    why: 'Each trial sets it before it is read.',
  },
  {
    file: 'services/engines/concurrency-limit.ts',
    before: '#mostInFlight = 0;',
    after: '#mostInFlight = 1;',
    why: 'Every request counts itself.',
  },
  {
    file: 'services/engines/concurrency-limit.ts',
    before: 'this.#mostInFlight = 0;',
    after: 'this.#mostInFlight = 1;',
    why: 'Every request counts itself.',
  },
  {
    file: 'services/engines/pool.ts',
    before: 'if (this.#isSettled) this.#claims += 1;',
    after: 'if (this.#isSettled) this.#claims += 2;',
    why: 'Only the order of claims matters.',
  },
  {
    file: 'services/engines/local/simulator.ts',
    before: 'for (let k = 0; k < y.length; k += 1) if (y[k] !== 0 || potentials[k] !== 0) potentials[k]! += 1;',
    after: 'for (let k = 0; k <= y.length; k += 1) if (y[k] !== 0 || potentials[k] !== 0) potentials[k]! += 1;',
    why: 'A write after the end of a typed array does nothing.',
  },
  {
    file: 'services/engines/local/session-state.ts',
    before: 'if (layout.sums > 0) collected.set(floats(layout.sums));',
    after: 'if (layout.sums >= 0) collected.set(floats(layout.sums));',
    why: 'Without sums it sets no numbers.',
  },
];
