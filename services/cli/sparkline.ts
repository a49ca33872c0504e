// Numbers as blocks of text.

const HEIGHTS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** The newest `cells` values, oldest first, each as high as its share of the greatest. */
export function sparkline(values: readonly number[], cells: number): string {
  const shown = cells > 0 ? values.slice(-cells) : [];
  const greatest = Math.max(...shown, 0);
  return shown.map((value) => HEIGHTS[greatest > 0 ? Math.ceil((value / greatest) * 7) : 0]).join('');
}

/** A bar of `share` × `cells`, 0 to 1, padded to `cells`; anything above 0 is seen. */
export function bar(share: number, cells: number): string {
  const wanted = Math.round(share * cells * 8);
  const eighths = Math.min(share > 0 ? Math.max(wanted, 1) : 0, cells * 8);
  return ('█'.repeat(eighths >> 3) + (EIGHTHS[eighths & 7] ?? '')).padEnd(cells);
}
