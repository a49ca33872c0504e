// The figures of one network as a table, and as rows with their required ratios.
import { table } from '../../../services/cli/table.ts';
import type { Row } from '../row.ts';
import { type Batch, BATCHES, type SubjectFigures } from './measure.ts';
import { NETWORK_TITLES, type NetworkName } from './networks.ts';

/** The least ratios that count as reached: against the best peer, and the first layer alone. */
const BARS: Partial<Record<NetworkName, Partial<Record<Batch, { peer: number; firstLayer?: number }>>>> = {
  supersense: { 1: { peer: 1.8, firstLayer: 1 / 1.05 }, 64: { peer: 2, firstLayer: 1 / 1.3 } },
  deep: { 1: { peer: 15 }, 64: { peer: 10 } },
};
const TYPESCRIPT_BAR = 0.3;

export function printNetwork(network: NetworkName, figures: readonly SubjectFigures[]): string {
  const cell = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
  const rows = figures.map((one) => [
    one.name,
    ...BATCHES.map((batch) => (one.us === undefined ? '-' : cell(one.us[batch]))),
    one.agreement === undefined
      ? ''
      : `${(one.agreement.equalShare * 100).toFixed(2)} % (largest difference ${one.agreement.largest})`,
    one.failure ?? one.version,
  ]);
  const head = ['µs AN INPUT', ...BATCHES.map((batch) => `${batch} AT A TIME`), 'EQUAL SPIKE COUNTS', ''];
  return `${NETWORK_TITLES[network]}\n${table(head, rows)}`;
}

const WHAT = {
  peer: 'C++ simulator vs best peer',
  firstLayer: 'C++ simulator vs PyTorch, first layer alone',
  typescript: 'TypeScript engine vs C++ simulator',
};

const whatAt = (what: string, network: NetworkName, batch: Batch): string =>
  `${what}, ${network}, ${batch === 1 ? 'one' : batch} at a time`;

export const rowNames = (network: NetworkName): string[] =>
  BATCHES.flatMap((batch) => Object.values(WHAT).map((what) => whatAt(what, network, batch)));

/** Without the rows whose subjects did not start. */
export function networkRows(network: NetworkName, figures: readonly SubjectFigures[]): Row[] {
  const best = (kind: SubjectFigures['kind'], batch: Batch): { us: number; name: string } | undefined =>
    figures
      .flatMap(({ kind: its, us, name }) => (its === kind && us !== undefined ? [{ us: us[batch], name }] : []))
      .sort((a, b) => a.us - b.us)[0];
  return BATCHES.flatMap((batch) => {
    // Our first subject: the instruction set that the engine chooses itself.
    const cpp = figures.find((one) => one.kind === 'cpp')?.us?.[batch];
    const bars = BARS[network]?.[batch];
    const row = (
      what: string,
      ours: number | undefined,
      peer: number | undefined,
      reads: string,
      bar?: number,
    ): Row[] =>
      ours === undefined || peer === undefined
        ? []
        : [
            {
              what: whatAt(what, network, batch),
              ours,
              peer,
              unit: 'µs/input',
              ratio: peer / ours,
              reads,
              ...(bar && { bar }),
            },
          ];
    const peer = best('peer', batch);
    return [
      ...row(WHAT.peer, cpp, peer?.us, `times as fast as ${peer?.name}`, bars?.peer),
      ...row(WHAT.firstLayer, cpp, best('first-layer', batch)?.us, 'times as fast', bars?.firstLayer),
      ...row(
        WHAT.typescript,
        best('typescript', batch)?.us,
        cpp,
        'times as fast',
        batch === 8 ? undefined : TYPESCRIPT_BAR,
      ),
    ];
  });
}
