// Keys `encoder` and `events` of model.yaml: they convert an input to a series before engines get it.
import { z } from 'zod';

const UINT32_MAX = 4_294_967_295;
const MAX_SENSOR = 65_536;
const whole = z.number().int();

/** proto/NUMERICS.md, "Encoders". */
export const encoderSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('rate'),
    /** A different seed gives different spikes. */
    seed: whole.min(0).max(UINT32_MAX).default(0),
  }),
  z.strictObject({ kind: z.literal('latency') }),
  z.strictObject({
    kind: z.literal('delta'),
    /** Smallest change that makes a spike. */
    threshold: z.number().positive().default(0.1),
    /** Whether a decrease makes a spike of -1. */
    off: z.boolean().default(false),
  }),
]);

export type Encoder = z.output<typeof encoderSchema>;

/** proto/NUMERICS.md, "Events". */
export const eventsSchema = z.strictObject({
  /** Microseconds of one step. */
  bin_us: whole.positive().max(UINT32_MAX),
  /** Size of the sensor, pixels. */
  width: whole.positive().max(MAX_SENSOR),
  height: whole.positive().max(MAX_SENSOR),
  /** `separate`: a channel for off events, then one for on. `merged`: one channel for both. `signed`: off counts as -1. */
  polarity: z.enum(['separate', 'merged', 'signed']).default('separate'),
  /** `binary`: 1 if there is any event. */
  value: z.enum(['count', 'binary']).default('count'),
  /** `any`: times need not ascend. */
  order: z.enum(['ascending', 'any']).default('ascending'),
});

export type EventBins = z.output<typeof eventsSchema>;
