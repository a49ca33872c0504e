// Where a file and its manifest can hardly both be meant. Not errors: the model is served, and the log says so. The same words as
// those of `tandem-engine check`.
import type { Manifest } from '../../config/manifest.ts';
import { readsSpikes } from '../../config/readout.ts';
import type { Network, NetworkNode } from './network.ts';
import { settingsOf } from './neuron-rule.ts';
import { isSpiking } from './node-types.ts';

export function doubtsOf({ nodes, readout }: Network, manifest: Manifest): string[] {
  const doubts = [
    ...nodes.flatMap((node) => dtAboveTau(node, manifest)).slice(0, 1),
    ...nodes
      .filter(({ name, type }) => type === 'IF' && settingsOf(manifest, name).if_gain === undefined)
      .map(unstatedGain)
      .slice(0, 1),
    ...readoutDoesNotFire(nodes[readout]!, manifest),
  ];
  return doubts;
}

/** A leaky state that loses more than all of itself in a step swings instead of decaying. */
function dtAboveTau({ name, type, constants }: NetworkNode, manifest: Manifest): string[] {
  const { dt } = manifest;
  const leaks = type === 'LIF' || type === 'LI' || type.startsWith('Cuba');
  if (settingsOf(manifest, name).decay !== 'euler' || !leaks) return [];
  const membrane = type.startsWith('Cuba') ? 'tau_mem' : 'tau';
  const shares = [[membrane, constants.gain] as const, ['tau_syn', constants.synapse] as const];
  for (const [field, share] of shares) {
    const index = share?.findIndex((each) => each > 1) ?? -1;
    if (index < 0) continue;
    const tau = Number((dt / share![index]!).toPrecision(6));
    return [
      `node "${name}": ${field} is ${tau}, shorter than dt, ${dt}, at index ${index}; set dt in model.yaml to the time step that the exporter used`,
    ];
  }
  return [];
}

function unstatedGain({ name }: NetworkNode): string {
  return `node "${name}": is an IF, whose gain NIR leaves open; state if_gain in model.yaml: dt (v += dt*r*x, used now) or unit (v += r*x)`;
}

function readoutDoesNotFire({ name, type }: NetworkNode, { readout }: Manifest): string[] {
  if (!readsSpikes(readout.from) || isSpiking(type)) return [];
  return [
    `node "${name}": is the readout and a ${type}, which does not fire, so that every spike count is 0; set readout.from in model.yaml to last_potential, mean_potential or max_potential`,
  ];
}
