// The picture of the robot: cart, pole and light, the spikes of the newest steps, and the engine that computes.
import { styleText } from 'node:util';
import { Canvas } from './canvas.ts';
import { STEP_S, TRACK_M } from './cart-pole.ts';
import { NEURONS } from './network.ts';

const COLUMNS = 72;
const POLE_ROWS = 7;
/** Of the whole pole. */
const POLE_M = 1;
const CART = '▟██▙';
const ONE_LINE_COLUMNS = 48;
const LEANS_RAD = 0.03;

export interface Body {
  readonly position: number;
  readonly angle: number;
  readonly light: number;
  readonly shove: number;
}

export interface EngineView {
  readonly id: string;
  readonly isDown: boolean;
  /** It has answered the newest step. */
  readonly steers: boolean;
}

/** Of `columns` cells from −TRACK_M to TRACK_M. */
function columnOf(position: number, columns: number): number {
  const share = (position + TRACK_M) / (2 * TRACK_M);
  return Math.min(columns - 1, Math.max(0, Math.round(share * (columns - 1))));
}

function put(line: string, column: number, text: string): string {
  const at = Math.min(Math.max(0, column), line.length - text.length);
  return line.slice(0, at) + text + line.slice(at + text.length);
}

/** A full screen. `raster`: the neurons that fired in each step, oldest first. */
export function screen(
  body: Body,
  step: number,
  raster: readonly (readonly number[])[],
  engines: readonly EngineView[],
): string {
  const canvas = new Canvas(COLUMNS, POLE_ROWS);
  const dotsPerM = canvas.width / (2 * TRACK_M);
  const [hingeX, hingeY] = [(body.position + TRACK_M) * dotsPerM, canvas.height - 1];
  const length = POLE_M * dotsPerM;
  const [tipX, tipY] = [hingeX + length * Math.sin(body.angle), hingeY - length * Math.cos(body.angle)];
  canvas.line(hingeX, hingeY, tipX, tipY);
  canvas.line(hingeX + 1, hingeY, tipX + 1, tipY);
  const empty = ' '.repeat(COLUMNS);
  const cart = put(empty, columnOf(body.position, COLUMNS) - CART.length / 2, CART);
  const light = columnOf(body.light, COLUMNS);
  const shove = body.shove === 0 ? '' : `  ${body.shove > 0 ? '→' : '←'} shoved`;
  const state = engines.map(({ id, isDown, steers }) => {
    if (isDown) return styleText('red', `✖ ${id}`);
    return steers ? styleText('green', `● ${id}`) : styleText('dim', `○ ${id}`);
  });
  return [
    ...canvas.lines().map((line) => styleText('bold', line)),
    styleText('cyan', cart),
    styleText('dim', '━'.repeat(light)) + styleText('yellow', '✦') + styleText('dim', '━'.repeat(COLUMNS - light - 1)),
    ...rasterLines(raster).map((line) => styleText('cyan', line)),
    `${(step * STEP_S).toFixed(2).padStart(5)} s  ${state.join('  ')}${shove}`,
  ]
    .map((line) => `  ${line}`)
    .join('\n');
}

/** A row of dots for each neuron, a column for each step. */
export function rasterLines(raster: readonly (readonly number[])[]): string[] {
  const canvas = new Canvas(COLUMNS, NEURONS / 4);
  const shown = raster.slice(-canvas.width);
  for (const [step, spikes] of shown.entries()) {
    for (const [neuron, count] of spikes.entries()) if (count > 0) canvas.dot(step, neuron);
  }
  return canvas.lines();
}

/** The same in one line, without a terminal. */
export function oneLine(body: Body, step: number, engineId: string): string {
  const lean = body.angle > LEANS_RAD ? '╱' : body.angle < -LEANS_RAD ? '╲' : '│';
  const track = put('─'.repeat(ONE_LINE_COLUMNS), columnOf(body.light, ONE_LINE_COLUMNS), '✦');
  const line = put(track, columnOf(body.position, ONE_LINE_COLUMNS) - 1, `▟${lean}▙`);
  return `${(step * STEP_S).toFixed(1).padStart(4)} s  ${line}  ${engineId}`;
}
