// Mutants that no test can detect, each with its reason. They are reported and not counted.
import { EQUIVALENT_ENGINES, type Equivalent } from './equivalent-engines.ts';

export const EQUIVALENT: readonly Equivalent[] = [
  ...EQUIVALENT_ENGINES,
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
    file: 'services/api/learn-stream.ts',
    before: 'slot = -1;',
    after: 'slot = -2;',
    why: 'OpenCalls sets it before anything reads it.',
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
    file: 'services/api/metrics-message.ts',
    before: 'const own = requests[index] ?? 0;',
    after: 'const own = requests[index] ?? 1;',
    why: 'There is one number for each strategy.',
  },
];
