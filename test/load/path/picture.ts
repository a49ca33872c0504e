// Latency against load, as a picture: p50 and p99 of each subject's open loops, both axes logarithmic in latency only.
import type { Open, PathFigures } from './results.ts';

const WIDTH = 900;
const HEIGHT = 520;
const MARGIN = { left: 70, right: 190, top: 50, bottom: 60 };
const COLOURS = ['#888888', '#1f77b4', '#2ca02c', '#9467bd', '#8c564b', '#ff7f0e', '#d62728'];

export function drawLatency({ open, processor }: PathFigures): string {
  const names = [...new Set(open.map(({ subject }) => subject))];
  const mostRate = Math.max(...open.map(({ callsPerS }) => callsPerS)) * 1.05;
  const [low, high] = [
    10 ** Math.floor(Math.log10(Math.min(...open.map(({ p50Us }) => p50Us)))),
    10 ** Math.ceil(Math.log10(Math.max(...open.map(({ p99Us }) => p99Us)))),
  ];
  const x = (rate: number): number => MARGIN.left + (rate / mostRate) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (us: number): number => {
    const share = Math.log(us / low) / Math.log(high / low);
    return HEIGHT - MARGIN.bottom - share * (HEIGHT - MARGIN.top - MARGIN.bottom);
  };
  const line = (points: readonly Open[], of: 'p50Us' | 'p99Us', colour: string): string => {
    const dash = of === 'p99Us' ? ' stroke-dasharray="6 4"' : '';
    const at = points.map((each) => `${x(each.callsPerS).toFixed(1)},${y(each[of]).toFixed(1)}`).join(' ');
    return `<polyline points="${at}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`;
  };
  const subjects = names.map((name, at) => {
    const colour = COLOURS[at % COLOURS.length]!;
    const points = open.filter(({ subject }) => subject === name).sort((a, b) => a.callsPerS - b.callsPerS);
    const row = MARGIN.top + 20 * at;
    const key = WIDTH - MARGIN.right + 15;
    return [
      line(points, 'p50Us', colour),
      line(points, 'p99Us', colour),
      `<rect x="${key}" y="${row}" width="14" height="4" fill="${colour}"/>`,
      `<text x="${key + 20}" y="${row + 6}">${name}</text>`,
    ].join('\n');
  });
  const decades = Math.round(Math.log10(high / low));
  const grid = Array.from({ length: decades + 1 }, (_, at) => low * 10 ** at).map((us) => {
    const label = us >= 1_000 ? `${us / 1_000} ms` : `${us} µs`;
    return `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(us)}" y2="${y(us)}" stroke="#dddddd"/>
<text x="${MARGIN.left - 8}" y="${y(us) + 4}" text-anchor="end">${label}</text>`;
  });
  const step = 10 ** Math.floor(Math.log10(mostRate)) / 2;
  const marks = Array.from({ length: Math.floor(mostRate / step) + 1 }, (_, at) => at * step).map(
    (rate) => `<text x="${x(rate)}" y="${HEIGHT - MARGIN.bottom + 20}" text-anchor="middle">${rate}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>
<text x="${MARGIN.left}" y="25" font-size="15">Latency against load, open loop (line: p50, dashes: p99) · ${processor}</text>
${[...grid, ...marks, ...subjects].join('\n')}
<text x="${(WIDTH - MARGIN.right + MARGIN.left) / 2}" y="${HEIGHT - 15}" text-anchor="middle">calls a second</text>
</svg>
`;
}
