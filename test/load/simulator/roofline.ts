// The peak rates of one core of the machine, and the share of them that each layer of the C++ simulator reaches.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { table } from '../../../services/cli/table.ts';
import { type BenchNetwork, NETWORK_TITLES, type NetworkName } from './networks.ts';

const ROOFLINE = join(import.meta.dirname, '../../../sidecar-cpp/build/release/tandem-roofline');

const runFile = promisify(execFile);

/** The output of tandem-roofline. */
export interface Roofline {
  readonly simd: string;
  /** Without fused multiply-add. */
  readonly multiply_adds_per_s: number;
  readonly adds_per_s: number;
  readonly bytes_per_s: Readonly<Record<string, number>>;
  /** The longest first. */
  readonly layers: readonly LayerShare[];
}

interface LayerShare {
  readonly node: string;
  readonly type: string;
  /** Of an input. */
  readonly us: number;
  /** Of the run's time. */
  readonly of_time: number;
  /** The minimum time on this core; 0: not known. */
  readonly limit_us: number;
  readonly limited_by: string;
}

/** undefined: our engine does not load the network. */
export async function measureRoofline(network: BenchNetwork): Promise<Roofline | undefined> {
  const args = ['--model', join(network.repository, network.model), '--inputs', network.inputs];
  try {
    return JSON.parse((await runFile(ROOFLINE, args)).stdout) as Roofline;
  } catch {
    return undefined;
  }
}

export function printRoofline(network: NetworkName, roofline: Roofline): string {
  const giga = (value: number): string => (value / 1e9).toFixed(0);
  const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
  const bandwidths = Object.entries(roofline.bytes_per_s).map(([level, rate]) => `${level} ${giga(rate)}`);
  const rows = roofline.layers.map((layer) => [
    layer.node,
    layer.type,
    layer.us.toFixed(2),
    percent(layer.of_time),
    layer.limit_us === 0 ? '-' : layer.limit_us.toFixed(2),
    layer.limit_us === 0 ? '-' : percent(layer.limit_us / layer.us),
    layer.limited_by,
  ]);
  return [
    `${NETWORK_TITLES[network]}, 64 at a time: what each layer reaches of one core's limits (${roofline.simd}: ` +
      `${giga(roofline.multiply_adds_per_s)} G multiplications with additions a second without FMA, ` +
      `${giga(roofline.adds_per_s)} G additions; GB/s: ${bandwidths.join(', ')})`,
    table(['NODE', 'TYPE', 'µs/INPUT', 'OF TIME', 'LIMIT', 'SHARE', 'LIMITED BY'], rows),
  ].join('\n');
}
