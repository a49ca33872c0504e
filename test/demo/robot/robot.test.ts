import { describe, expect, it } from '@jest/globals';
import { parseManifest } from '../../../services/config/manifest.ts';
import { compileNetwork } from '../../../services/engines/local/compile.ts';
import { Interrupt } from '../../../services/engines/local/interrupt.ts';
import { Simulator } from '../../../services/engines/local/simulator.ts';
import { writeNir } from '../../support/nir-writer.ts';
import { Canvas } from './canvas.ts';
import { CartPole } from './cart-pole.ts';
import { oneLine, rasterLines } from './drawing.ts';
import { NEURONS, ROBOT_MANIFEST, forceOf, robotGraph } from './network.ts';

const STEPS = 500;
const SEEDS = [1, 2, 3, 7];
const simulator = new Simulator(compileNetwork(writeNir(robotGraph()), parseManifest(ROBOT_MANIFEST)));

/** The number of steps until the pole falls. */
function ride(seed: number, keepsState: boolean): number {
  const world = new CartPole(seed);
  let state: Uint8Array = new Uint8Array(0);
  let counts = Array<number>(NEURONS).fill(0);
  for (let step = 0; step < STEPS; step += 1) {
    const session = { state, returnState: true };
    const result = simulator.run(Float32Array.from(world.seen), 1, Interrupt.never(), undefined, session);
    const now = [...result.spikeCounts];
    world.move(forceOf(keepsState ? now.map((count, neuron) => count - counts[neuron]!) : now));
    if (world.hasFallen) return step;
    if (keepsState) [state, counts] = [result.state!, now];
  }
  return STEPS;
}

describe('the robot', () => {
  it.each(SEEDS)('balances its pole if its network keeps its state, seed %i', (seed) => {
    expect(ride(seed, true)).toBe(STEPS);
  });

  it.each(SEEDS)('does not if each step begins without a state, seed %i', (seed) => {
    expect(ride(seed, false)).toBeLessThan(STEPS);
  });

  it('is the same with the same seed', () => {
    const [a, b] = [new CartPole(5), new CartPole(5)];
    for (let step = 0; step < 200; step += 1) for (const each of [a, b]) each.move(-20 * each.angle);
    expect(a).toEqual(b);
  });
});

describe('its picture', () => {
  it('has dots on its lines, and none outside', () => {
    const canvas = new Canvas(2, 1);
    canvas.line(0, 0, 0, 3);
    canvas.line(3, 3, 9, 3);
    expect(canvas.lines()).toEqual(['⡇⢀']);
  });

  it('has a dot for each spike of the newest steps', () => {
    const first = Array.from({ length: NEURONS }, (_, neuron) => Number(neuron === 0));
    expect(rasterLines([first])[0]).toMatch(/^⠁⠀+$/);
  });

  it('shows in one line the positions of cart and light, and the angle of the pole', () => {
    const line = oneLine({ position: 0, angle: 0.2, light: 2.4, shove: 0 }, 50, 'engine-1');
    expect(line).toMatch(/^ 0\.5 s {2}─+▟╱▙─+✦ {2}engine-1$/);
  });
});
