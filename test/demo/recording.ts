// The demo's output as an animated SVG: its lines appear one after the other.

const WIDTH_CELLS = 108;
const CELL_PX = 7.8;
const LINE_PX = 18;
const MARGIN_PX = 16;
const DELAY_S = 0.18;

/** The styles that page.ts uses, by the number of their SGR code. */
const CLASSES: Readonly<Record<string, string>> = { 1: 'b', 2: 'd', 31: 'r', 32: 'g', 36: 'c' };

/** `output`: with its escape sequences. */
export function toSvg(output: string): string {
  const lines = output.trim().split('\n').map(cut);
  const width = WIDTH_CELLS * CELL_PX + 2 * MARGIN_PX;
  const height = lines.length * LINE_PX + 2 * MARGIN_PX;
  const texts = lines.map((line, index) => {
    const y = MARGIN_PX + (index + 1) * LINE_PX - 4;
    return `<text x="${MARGIN_PX}" y="${y}" style="animation-delay:${(index * DELAY_S).toFixed(2)}s">${spans(line)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<style>
text { font: 13px ui-monospace, Menlo, Consolas, monospace; fill: #d8dee9; white-space: pre; opacity: 0; animation: on 0.01s forwards }
.b { font-weight: 700; fill: #ffffff } .d { fill: #8b949e } .r { fill: #ff7b72 } .g { fill: #7ee787 } .c { fill: #79c0ff }
@keyframes on { to { opacity: 1 } }
</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${texts.join('\n')}
</svg>
`;
}

/** Lines that are too long are cut after the last cell. */
function cut(line: string): string {
  let cells = 0;
  // eslint-disable-next-line no-control-regex -- these are escape sequences
  return line.replaceAll(/\u001b\[\d+m|./gu, (part) => (part.length > 2 || ++cells <= WIDTH_CELLS ? part : ''));
}

function spans(line: string): string {
  // eslint-disable-next-line no-control-regex -- these are escape sequences
  const parts = line.split(/\u001b\[(\d+)m/);
  let style: string | undefined;
  return parts
    .map((part, index) => {
      if (index % 2 === 1) {
        style = CLASSES[part];
        return '';
      }
      const text = part.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
      return style === undefined || text === '' ? text : `<tspan class="${style}">${text}</tspan>`;
    })
    .join('');
}
