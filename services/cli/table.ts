import Table from 'cli-table3';

/** Aligned columns without lines; numbers flush right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const numeric = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  const drawn = new Table({
    head: [...head],
    colAligns: numeric.map((isNumber) => (isNumber ? 'right' : 'left')),
    style: { head: process.stdout.isTTY ? ['bold'] : [], 'padding-left': 0, 'padding-right': 2, compact: true },
    chars: Object.fromEntries(
      ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left']
        .concat(['left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'])
        .map((name) => [name, '']),
    ),
  });
  drawn.push(...rows.map((row) => row.map(String)));
  return drawn.toString().replaceAll(/ +$/gm, '');
}
