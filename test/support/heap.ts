// The memory of this process that is in use.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Used bytes of the heap after garbage collections, and after finalizers had time to run. */
export async function settledHeapBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let time = 0; time < 5; time += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return process.memoryUsage().heapUsed;
}
