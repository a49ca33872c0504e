import { describe, expect, it } from '@jest/globals';
import { changesOf } from './operators.ts';

const after = (line: string): string[] => changesOf(line).map((change) => change.after);

describe('the changes of a line', () => {
  it('change each comparison, logic operator and number separately', () => {
    expect(after('    const bool fits = in_flight_ < limit && bytes_ + 1 <= max;')).toEqual([
      '    const bool fits = in_flight_ <= limit && bytes_ + 1 <= max;',
      '    const bool fits = in_flight_ < limit && bytes_ + 1 < max;',
      '    const bool fits = in_flight_ < limit || bytes_ + 1 <= max;',
      '    const bool fits = in_flight_ < limit && bytes_ - 1 <= max;',
      '    const bool fits = in_flight_ < limit && bytes_ + 2 <= max;',
    ]);
  });

  it('do not change strings, comments and template arguments', () => {
    expect(after('  std::vector<int> x("a < b && c");  // a < b')).toEqual([]);
    expect(after('  // i < 1')).toEqual([]);
    expect(after('  const text = `a - b < 1`;')).toEqual([]);
  });

  it('change increments, but no options of a command', () => {
    expect(after('  for (int k = n; k != m; --k) {')).toContain('  for (int k = n; k != m; ++k) {');
    expect(after('  tandem-engine check net.nir --manifest model.yaml')).toEqual([]);
  });

  it('remove a statement, but no declaration and no return', () => {
    expect(after('  queue_.push_back(task);')).toEqual(['  ;']);
    expect(after('  state->ready = other;')).toEqual(['  ;']);
    expect(after('  const auto lock = take();')).toEqual([]);
    expect(after('  return take();')).toEqual([]);
  });

  it('negate a condition, also one with a declaration', () => {
    expect(after('  if (!ok) return;')).toEqual(['  if (!(!ok)) return;']);
    expect(after('  if (auto error = Check(x)) return error;')).toEqual([
      '  if (auto error = Check(x); !error) return error;',
    ]);
  });

  it('empty the body of a function without a result', () => {
    expect(after('void Run::Step() {')).toEqual(['void Run::Step() { return;']);
  });
});
