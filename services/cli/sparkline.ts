// Draws numbers as block characters.

const HEIGHTS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** The newest `cells` values, oldest first, each relative to the largest. */
export function sparkline(values: readonly number[], cells: number): string {
  const shown = cells > 0 ? values.slice(-cells) : [];
  const greatest = Math.max(...shown, 0);
  return shown.map((value) => HEIGHTS[greatest > 0 ? Math.ceil((value / greatest) * 7) : 0]).join('');
}

/** A bar of `share` (0 to 1) × `cells`, padded to `cells`; any value above 0 is visible. */
export function bar(share: number, cells: number): string {
  const wanted = Math.round(share * cells * 8);
  const eighths = Math.min(share > 0 ? Math.max(wanted, 1) : 0, cells * 8);
  return ('█'.repeat(eighths >> 3) + (EIGHTHS[eighths & 7] ?? '')).padEnd(cells);
}
