// The model repository, and which engines hold which version, as JSON.
import { hex64 } from '../core/hex.ts';
import type { DashboardSources, ModelView } from './sources.ts';

export function toModels({ models, pins, engines, read }: DashboardSources): object {
  const { sinceMs, models: counted } = read().counts;
  const counts = new Map(counted.map((each) => [`${each.model}/${each.version}`, each]));
  return {
    defaultModel: models.defaultModel,
    sinceMs,
    models: models.versions.map((version) => {
      const key = `${version.name}/${version.version}`;
      const heldAs = { name: version.heldAs, version: version.version };
      const holders = engines().flatMap(({ id, state, models: described, modelProblems }) => {
        const held = described.find((each) => isSame(each, heldAs));
        const problem = modelProblems.find(({ model }) => model === `${version.heldAs}/${version.version}`)?.why ?? '';
        return held === undefined ? [] : [{ id, state, held, problem }];
      });
      const done = counts.get(key);
      const pin = pins.find(version.heldAs, version.version);
      const isRead = pin !== undefined && pin.error === '';
      return {
        name: version.name,
        version: version.version,
        error: version.error || (pin?.error ?? ''),
        checksum: isRead ? hex64(pin.modelId) : '',
        inputKind: version.inputKind,
        inputShape: version.inputShape ?? (isRead ? [pin.inputSize] : []),
        outputSize: pin?.outputSize ?? 0,
        nodes: pin?.nodes ?? 0,
        parameters: pin?.parameters ?? 0,
        steps: version.steps,
        dt: version.dt,
        readout: version.readout.from,
        temperature: version.readout.temperature,
        labels: version.readout.labels,
        golden: version.golden.length,
        defaults: version.defaults,
        isUnloaded: version.isUnloaded,
        isLatest: version === models.versions.findLast((each) => each.name === version.name && !each.isUnloaded),
        takesText: version.tokenizer !== undefined,
        requests: done?.requests ?? 0,
        inferences: done?.inferences ?? 0,
        computeS: done?.computeS ?? 0,
        synapticOperations: done?.synapticOperations ?? 0,
        energyJ: done?.energyJ ?? 0,
        holders: holders.map(({ id, state, held: { modelId, error }, problem }) => {
          return { id, state, checksum: error === '' ? hex64(modelId) : '', problem: problem || error };
        }),
      };
    }),
  };
}

/** Golden vectors that a visitor may try. Undefined: there is no such version. */
export function toSamples({ models }: DashboardSources, name: string, version: number): object | undefined {
  const model = models.versions.find((each) => isSame(each, { name, version }));
  return (
    model && {
      samples: model.golden.map(({ name, data, stateDigest }) => ({
        name,
        stateDigest: hex64(stateDigest),
        shape: [data.length / 4],
        data: Buffer.from(data).toString('base64'),
      })),
    }
  );
}

function isSame(a: Pick<ModelView, 'name' | 'version'>, b: Pick<ModelView, 'name' | 'version'>): boolean {
  return a.name === b.name && a.version === b.version;
}
