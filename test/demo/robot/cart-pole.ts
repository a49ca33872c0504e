// A cart on a track with a hinged pole (Barto, Sutton and Anderson, 1983), and a light that moves along the track. The
// same seed and the same forces give the same run on every machine.
import { Random } from '../../fuzz/random.ts';

export const STEP_S = 0.01;
/** The cart starts in the middle, and the track ends here on both sides, metres. */
export const TRACK_M = 2.4;
/** Past this angle the pole counts as fallen, radians. */
const FALLEN_RAD = 0.7;

const SUBSTEPS = 10;
const GRAVITY = 9.81;
const CART_KG = 1;
const POLE_KG = 0.1;
/** From the hinge to the pole's centre of mass. */
const HALF_POLE_M = 0.5;
const START_RAD = 0.05;
const SHOVE_EVERY = 90;
const MOMENT_STEPS = 20;
/** Of angular velocity. */
const SHOVE_RAD_PER_S = 0.8;
/** The range of the light's movement, and its period. */
const LIGHT_M = 1.2;
const LIGHT_S = 6;

export class CartPole {
  /** Of the cart, metres; to the right is positive. */
  position = 0;
  /** Of the pole, radians from upright; to the right is positive. */
  angle = START_RAD;
  /** The target of the cart, metres. */
  light = 0;
  /** −1 or 1: it was pushed to this side a moment ago; else 0. */
  shove = 0;
  #speed = 0;
  #turning = 0;
  #step = 0;
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  get hasFallen(): boolean {
    return Math.abs(this.angle) > FALLEN_RAD || Math.abs(this.position) > TRACK_M;
  }

  /** The robot's input: its distance from the light, and the angle. No speed is measured. */
  get seen(): readonly [number, number] {
    return [this.position - this.light, this.angle];
  }

  /** Simulates 10 ms with a force on the cart, newtons. */
  move(force: number): void {
    for (let n = 0; n < SUBSTEPS; n += 1) this.#integrate(force, STEP_S / SUBSTEPS);
    this.#step += 1;
    const sinceShove = this.#step % SHOVE_EVERY;
    if (sinceShove === 0) {
      this.shove = this.#random.chance(0.5) ? 1 : -1;
      this.#turning += this.shove * SHOVE_RAD_PER_S;
    } else if (sinceShove === MOMENT_STEPS) this.shove = 0;
    this.light = LIGHT_M * Math.sin((2 * Math.PI * this.#step * STEP_S) / LIGHT_S);
  }

  #integrate(force: number, dt: number): void {
    const [sin, cos] = [Math.sin(this.angle), Math.cos(this.angle)];
    const all = CART_KG + POLE_KG;
    const pushed = (force + POLE_KG * HALF_POLE_M * this.#turning * this.#turning * sin) / all;
    const turns = (GRAVITY * sin - cos * pushed) / (HALF_POLE_M * (4 / 3 - (POLE_KG * cos * cos) / all));
    this.#speed += dt * (pushed - (POLE_KG * HALF_POLE_M * turns * cos) / all);
    this.#turning += dt * turns;
    this.position += dt * this.#speed;
    this.angle += dt * this.#turning;
  }
}
