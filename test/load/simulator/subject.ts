// A program that measures a simulator on request: ours, or a peer in its own process (test/load/peers/subject.py). All
// of them run at the same time and measure in turns, so that a disturbance affects every one.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Subject {
  readonly name: string;
  readonly version: string;
  /** Instruction sets of the machine, best first; of the C++ simulator only. */
  readonly targets: readonly string[];
  /** Of every input, in each size of batch; empty if the subject computes no network. */
  readonly counts: readonly (readonly (readonly number[])[])[];
  /** Median microseconds an input. */
  measure(batch: number, seconds: number): Promise<number>;
  stop(): void;
}

interface Ready {
  readonly version: string;
  readonly targets?: readonly string[];
  readonly counts: readonly (readonly (readonly number[])[])[];
}

/** Rejects with the end of the program's output if it fails. */
export async function startSubject(name: string, command: string, args: readonly string[]): Promise<Subject> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2_000)));
  child.stdin.on('error', () => undefined); // the end of its output shows its end
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  const nextLine = async <T>(): Promise<T> => {
    const line = await Promise.race([lines.next(), failed]);
    if (line.done) throw new Error(`${name}: ${said.trim().split('\n').at(-1) || 'ended without a word'}`);
    return JSON.parse(line.value) as T;
  };
  const ready = await nextLine<Ready>();
  return {
    name,
    version: ready.version,
    targets: ready.targets ?? [],
    counts: ready.counts,
    measure: async (batch, seconds) => {
      child.stdin.write(`${batch} ${seconds}\n`);
      return (await nextLine<{ us: number }>()).us;
    },
    stop: () => void child.kill(),
  };
}
