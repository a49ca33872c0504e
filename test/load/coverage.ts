// V8's block coverage of a piece of work: the files and functions that ran, and the number of created closures.
import type { Profiler } from 'node:inspector';

export interface Counted {
  readonly files: number;
  readonly functions: number;
  /**
   * Number of created function objects: how often a function, or its initializer, reached the definition of another
   * one.
   */
  readonly closures: number;
  readonly byFile: readonly {
    readonly file: string;
    readonly functions: readonly string[];
    readonly closures: number;
  }[];
}

const SERVICES = '/services/';

/** For the project's own files only. */
export function countCoverage(scripts: readonly Profiler.ScriptCoverage[]): Counted {
  const own = scripts.filter(({ url }) => url.startsWith('file:') && url.includes(SERVICES));
  const byFile = own
    .map(({ url, functions }) => {
      const ran = functions.filter(({ ranges }) => ranges[0]!.count > 0);
      return {
        file: url.slice(url.lastIndexOf(SERVICES) + 1),
        functions: ran.map(({ functionName, ranges }) => `${functionName || '(anonymous)'}×${ranges[0]!.count}`),
        closures: closuresOf(functions),
      };
    })
    .filter(({ functions }) => functions.length > 0)
    .sort((a, b) => (a.file < b.file ? -1 : 1));
  return {
    files: byFile.length,
    functions: sum(byFile.map(({ functions }) => functions.length)),
    closures: sum(byFile.map(({ closures }) => closures)),
    byFile,
  };
}

function closuresOf(functions: readonly Profiler.FunctionCoverage[]): number {
  const inner = functions.filter(({ functionName }) => !functionName.endsWith('initializer>'));
  return sum(inner.map((each) => timesReached(each, functions)));
}

/** How often the innermost function around `inner` reached its start. */
function timesReached(inner: Profiler.FunctionCoverage, all: readonly Profiler.FunctionCoverage[]): number {
  const { startOffset, endOffset } = inner.ranges[0]!;
  const around = (range: Profiler.CoverageRange): boolean =>
    range.startOffset <= startOffset && range.endOffset >= endOffset;
  const outer = all.filter((other) => other !== inner && around(other.ranges[0]!)).sort(bySize)[0];
  if (outer === undefined) return 0;
  return [...outer.ranges].filter(around).sort((a, b) => sizeOf(a) - sizeOf(b))[0]!.count;
}

function bySize(a: Profiler.FunctionCoverage, b: Profiler.FunctionCoverage): number {
  return sizeOf(a.ranges[0]!) - sizeOf(b.ranges[0]!);
}

function sizeOf({ startOffset, endOffset }: Profiler.CoverageRange): number {
  return endOffset - startOffset;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
