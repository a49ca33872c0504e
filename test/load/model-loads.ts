// Loads, replaces and unloads model versions under a paced load, while engines are killed and added, and prints the
// effect on requests: `npx node test/load/model-loads.ts --loads 100 --rate 500`. It exits with 1 if a request failed,
// had an answer with the weights of two versions, or was sent to an engine without the version.
import { parseArguments } from '../support/arguments.ts';
import { CacheMode, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { ModelFolder } from '../support/model-folder.ts';
import { ModelOperator } from '../support/model-operator.ts';
import { Operator } from '../support/operator.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { smallNet } from '../support/small-net.ts';
import { startSystem } from '../support/system.ts';

const TICK_MS = 10;
/** Number of changes of models between two kills; with each kill, another engine is added. */
const KILL_EVERY = 10;

const { values } = parseArguments({
  options: { loads: { type: 'string', default: '100' }, rate: { type: 'string', default: '500' } },
});
const [loads, rate] = [Number(values.loads), Number(values.rate)];
const data = Buffer.from(Float32Array.of(1, 0.5, 0.25).buffer);
const request = {
  ...{ model: 'net', tensor: { shape: [3], dtype: 'FP32', data }, cache: CacheMode.CACHE_MODE_BYPASS },
};

const folder = new ModelFolder().add('net', 1, smallNet(), 'steps: 8');
let sidecars: RunningSidecar[] = await Promise.all([startSidecar(folder.path), startSidecar(folder.path)]);
const system = await startSystem({
  ...{ models_dir: folder.path, default_model: 'net', cache: { enabled: false }, spawn: { count: 0 } },
  sidecars: sidecars.map(({ address }, index) => ({ id: `s${index + 1}`, address })),
});
const models = new ModelOperator(system.adminAddress);
const operator = new Operator(system.adminAddress);

let [sent, answered, mixed] = [0, 0, 0];
const failures: string[] = [];
const versions = new Map<number, number>();
/** Failed attempts that were retried on another engine: reason → number. */
const retried = new Map<string, number>();
const open = new Set<Promise<void>>();

function count<Key>(map: Map<Key, number>, key: Key): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

async function ask(): Promise<void> {
  sent += 1;
  const strategy = sent % 2 === 0 ? Strategy.STRATEGY_REDUNDANT : Strategy.STRATEGY_ROUND_ROBIN;
  try {
    const { modelVersion, vote, attempts } = await system.reason({ ...request, strategy });
    answered += 1;
    for (const { outcome } of attempts) if (outcome !== 'OK') count(retried, outcome);
    count(versions, modelVersion);
    const cast = (vote?.ballots ?? []).map((ballot) => ballot.stateDigest).filter((digest) => digest !== 0n);
    if (new Set(cast).size > 1) mixed += 1;
  } catch (error) {
    failures.push((error as Error).message);
  }
}

const startedMs = performance.now();
const pacing = setInterval(() => {
  const due = Math.floor(((performance.now() - startedMs) / 1_000) * rate) - sent;
  for (let k = 0; k < due; k += 1) {
    const answer = ask().finally(() => open.delete(answer));
    open.add(answer);
  }
}, TICK_MS);

const tookMs: number[] = [];
async function timed(change: () => Promise<unknown>): Promise<void> {
  const beganMs = performance.now();
  await change();
  tookMs.push(performance.now() - beganMs);
}

let killed = 0;
for (let change = 0; change < loads; change += 1) {
  if (change % 4 === 0) {
    await timed(() =>
      models.load({ name: 'net', version: 2, nir: smallNet(2 + change), manifest: 'steps: 8', reload: true }),
    );
  } else if (change % 4 === 2) {
    await timed(() => models.load({ name: 'net', version: 3, nir: smallNet(3), manifest: 'steps: 8' }));
  } else if (change % 4 === 1) {
    await timed(() =>
      models.load({ name: 'net', version: 1, nir: smallNet(1 + change), manifest: 'steps: 8', reload: true }),
    );
  } else {
    await timed(() => models.unload({ name: 'net', version: 3, deleteFiles: true }));
  }
  if (change % KILL_EVERY === KILL_EVERY - 1) {
    const id = `late-${change}`;
    const added = await startSidecar(folder.path);
    await operator.register(id, added.address);
    await sidecars[0]!.kill();
    const [gone] = (await operator.engines()).filter(({ address }) => address === sidecars[0]!.address);
    if (gone !== undefined) await operator.remove(gone.id);
    sidecars = [...sidecars.slice(1), added];
    killed += 1;
  }
}
clearInterval(pacing);
await Promise.all(open);
const seconds = (performance.now() - startedMs) / 1_000;
models.close();
operator.close();
await system.stop();
await Promise.all(sidecars.map((sidecar) => sidecar.stop()));
folder.remove();

/** The reason of an engine that was asked for a version before it was loaded or after it was unloaded. */
const tooEarly = ['UNKNOWN_MODEL', 'MODEL_INVALID'].reduce((sum, why) => sum + (retried.get(why) ?? 0), 0);
const inWords = (counts: ReadonlyMap<unknown, number>): string =>
  [...counts].map(([what, times]) => `${String(what)} ${times}`).join(', ');
tookMs.sort((a, b) => a - b);
const quantile = (share: number): number =>
  Math.round(tookMs[Math.min(tookMs.length - 1, Math.floor(share * tookMs.length))]!);
process.stdout.write(
  `${loads} changes of models (p50 ${quantile(0.5)} ms, max ${quantile(1)} ms), ${killed} engines killed and added\n` +
    `${sent} requests in ${seconds.toFixed(1)} s (${Math.round(sent / seconds)} a second): ${answered} answered, ` +
    `${failures.length} failed, ${mixed} of two weights, ${tooEarly} attempts on an engine without the version\n` +
    `by version: ${inWords(versions)}; attempts made again elsewhere: ${inWords(retried) || 'none'}\n`,
);
for (const why of new Set(failures.map((each) => each.replace(/\d+ ms/g, '… ms'))))
  process.stdout.write(`failed: ${why}\n`);
process.exitCode = failures.length > 0 || mixed > 0 || tooEarly > 0 ? 1 : 0;
