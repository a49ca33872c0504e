// Mutants that no test can detect, each with its reason. They are reported and not counted.

interface Equivalent {
  readonly file: string;
  /** The lines without their indentation. */
  readonly before: string;
  readonly after: string;
  readonly why: string;
}

export const EQUIVALENT: readonly Equivalent[] = [
  {
    file: 'sidecar-cpp/engine/network.cc',
    before:
      'std::vector<std::uint32_t> position(graph.nodes.size(), 0);  // in order of evaluation, by index in the graph',
    after:
      'std::vector<std::uint32_t> position(graph.nodes.size(), 1);  // in order of evaluation, by index in the graph',
    why: 'only the places of evaluated nodes are read, and each of them is written first',
  },
  {
    file: 'sidecar-cpp/nir/flatten.cc',
    before: 'std::uint32_t found = 0;',
    after: 'std::uint32_t found = 1;',
    why: 'it is given back only where it was written',
  },
  {
    file: 'sidecar-cpp/loader/reader.cc',
    before: 'H5Pset_fapl_core(access.get(), std::size_t{1} << 16, 0);  // in memory, never written to a file',
    after: 'H5Pset_fapl_core(access.get(), std::size_t{1} << 17, 0);  // in memory, never written to a file',
    why: 'by how much a file grows that is only read',
  },
  {
    file: 'sidecar-cpp/server/command_line.cc',
    before: 'return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "engine";',
    after: 'return gethostname(name.data(), name.size() - 2) == 0 ? name.data() : "engine";',
    why: 'a host has a name of 64 bytes at most',
  },
  {
    file: 'sidecar-cpp/server/request_scan.cc',
    before: 'std::uint64_t id = 0;',
    after: 'std::uint64_t id = 1;',
    why: 'it is overwritten, or not used',
  },
  {
    file: 'sidecar-cpp/server/engine_core.cc',
    before: 'std::size_t floats = 0;',
    after: 'std::size_t floats = 1;',
    why: 'every model needs more than one',
  },
  {
    file: 'sidecar-cpp/server/listener.cc',
    before: 'if (reserve_ >= 0) close(std::exchange(reserve_, -1));',
    after: 'if (reserve_ >= 0) close(std::exchange(reserve_, -2));',
    why: 'any negative number means that there is no descriptor',
  },
  {
    file: 'services/api/reason-messages.ts',
    before: 'if (wire.encoding.length > 0 || wire.tensor !== undefined) return wire;',
    after: 'if (wire.encoding.length > 1 || wire.tensor !== undefined) return wire;',
    why: 'The line only saves work: numbers in one packed run are read one by one then, to the same bytes.',
  },
  {
    file: 'services/engines/local/runtime-node.ts',
    before: 'padded.set(constants.weight!.subarray(column * outputSize, (column + 1) * outputSize), column * stride);',
    after: 'padded.set(constants.weight!.subarray(column * outputSize, (column + 2) * outputSize), column * stride);',
    why: 'What is too much is overwritten by the next column, or lies in the padding, which no output is read from.',
  },
  {
    file: 'services/api/learn-stream.ts',
    before: 'slot = -1;',
    after: 'slot = -2;',
    why: 'OpenCalls sets it before anything reads it.',
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
    file: 'services/routing/stages/plan.ts',
    before: 'turns[strategy] = turn + 1;',
    after: 'turns[strategy] = turn - 1;',
    why: 'The turns of round robin go the other way, which is as fair.',
  },
  {
    file: 'services/voting/tally.ts',
    before: 'return a < b ? -1 : a > b ? 1 : 0;',
    after: 'return a < b ? -1 : a > b ? 2 : 0;',
    why: 'Of a comparison only the sign is used.',
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
    file: 'services/routing/conclusion.ts',
    before: 'const largest = readout[labelIndex] ?? 0;',
    after: 'const largest = readout[labelIndex] ?? 1;',
    why: 'It is undefined only for an empty readout, which has no score.',
  },
  {
    file: 'services/routing/latency-quantile.ts',
    before: 'const samples = { ring: new Float64Array(WINDOW), count: 0, quantileMs: undefined, takenAt: 0 };',
    after: 'const samples = { ring: new Float64Array(WINDOW), count: 0, quantileMs: undefined, takenAt: 1 };',
    why: 'It is set together with quantileMs, before it is read.',
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
    file: 'services/api/otlp-scan.ts',
    before: 'start = 0;',
    after: ';',
    why: 'It is set before it is read.',
  },
  {
    file: 'services/api/unary.ts',
    before: 'slot = -1;',
    after: 'slot = -2;',
    why: 'OpenCalls sets it before anything reads it.',
  },
  {
    file: 'services/routing/conclusion.ts',
    before: 'const exponentials = readout.length <= kept.length ? kept : new Float64Array(readout.length);',
    after: 'const exponentials = readout.length < kept.length ? kept : new Float64Array(readout.length);',
    why: 'Both have room for the numbers.',
  },
  {
    file: 'services/engines/local/neuron-kernels.ts',
    before: 'return [...set, 0, 0, 0, 0].slice(0, 4);',
    after: 'return [...set, 0, 1, 0, 0].slice(0, 4);',
    why: 'Only the lanes that are set are read: the next vector overwrites the others, or they lie behind the end of the list.',
  },
  {
    file: 'services/routing/executors/hedge.ts',
    before: "signal.addEventListener('abort', this.#onCallerAbort, { once: true });",
    after: "signal.addEventListener('abort', this.#onCallerAbort, { once: false });",
    why: 'A signal is aborted once, and the listener is removed at the end.',
  },
  {
    file: 'sidecar-cpp/kernels/weights.cc',
    before:
      'std::size_t Weights::StrideOf(std::size_t width) const { return out_ < kRowMultiple ? width : PaddedSize(width); }',
    after:
      'std::size_t Weights::StrideOf(std::size_t width) const { return out_ <= kRowMultiple ? width : PaddedSize(width); }',
    why: 'Another layout of the same weights: slower at most.',
  },
  {
    file: 'sidecar-cpp/server/executor.cc',
    before: 'jobs.reserve(batch.size());',
    after: ';',
    why: 'It only saves an allocation.',
  },
  {
    file: 'sidecar-cpp/kernels/dense.cc',
    before: 'for (; r + 4 <= count; r += 4) AddTile<4, kVectors>(panel, at, begin, end, rows + r);',
    after: 'for (; r + 4 < count; r += 4) AddTile<4, kVectors>(panel, at, begin, end, rows + r);',
    why: 'The smaller tiles after it give the same bits: slower at most.',
  },
  {
    file: 'services/voting/verdict.ts',
    before: 'agreeing: leader?.members.length ?? 0,',
    after: 'agreeing: leader?.members.length ?? 1,',
    why: 'There is no leader only if nobody voted, and such a vote is refused before the number is read.',
  },
  {
    file: 'services/routing/group.ts',
    before: 'isAdmitted = false;',
    after: ';',
    why: 'It is only asked whether it is true; and the type checker refuses it.',
  },
  {
    file: 'services/routing/group.ts',
    before: 'hasEnded = false;',
    after: ';',
    why: 'It is only asked whether it is true; and the type checker refuses it.',
  },
  {
    file: 'services/routing/group.ts',
    before: 'this.checkMs = Infinity;',
    after: ';',
    why: 'It only saves work: after the first check, each member has ended or goes on alone.',
  },
  {
    file: 'services/routing/stages/in-session.ts',
    before: "const inputSteps = found.input.kind === 'series' ? input.shape[0]! : 0;",
    after: "const inputSteps = found.input.kind === 'series' ? input.shape[0]! : 1;",
    why: 'A constant input always gets its state, so no inputs are kept whose steps count.',
  },
  {
    file: 'services/routing/admission.ts',
    before: 'if (this.#standing.size > 0) queueMicrotask(() => this.serve());',
    after: 'if (this.#standing.size >= 0) queueMicrotask(() => this.serve());',
    why: 'The condition only saves work: serve does nothing if nobody waits.',
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
    file: 'services/api/oip/stream.ts',
    before: 'slot = -1;',
    after: 'slot = -2;',
    why: 'OpenCalls sets it before anything reads it.',
  },
  {
    file: 'services/api/oip/stream.ts',
    before: 'slot = -1;',
    after: ';',
    why: 'OpenCalls sets it before anything reads it; and the type checker refuses it.',
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
];
