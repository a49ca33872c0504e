// Reads the router's records of disputes (settings `disputes.…`), one line of JSON each.
import { z } from 'zod';
import { LineSource } from './lines.ts';

const digest = z.string().regex(/^[0-9a-f]{0,16}$/);

/** The fields of a record that this version needs; there may be more. */
const recordSchema = z.object({
  time: z.string(),
  request_id: z.string(),
  /** Missing if the request was not traced, and in records of older versions. */
  trace_id: z.string().optional(),
  model: z.string(),
  model_version: z.int(),
  model_id: digest,
  strategy: z.string(),
  verdict: z.string(),
  shape: z.array(z.int().min(0)),
  /** Missing if setting `disputes.input` is "hashed", or the input was too large. */
  input_f32_base64: z.base64().optional(),
  /** XXH64 of the input's bytes; missing if the input itself is present. */
  input_xxh64: digest.optional(),
  /** The initial state, for a message of a session; both are missing if the run began at step 0. */
  state_base64: z.base64().optional(),
  state_xxh64: digest.optional(),
  ballots: z.array(
    z.object({
      engine: z.string(),
      state_digest: digest,
      readout_digest: digest,
      outcome: z.string(),
      why: z.string(),
    }),
  ),
  /** The first difference between the engines' recordings of the run. Missing in records of older versions. */
  differences: z
    .array(
      z.object({
        engine: z.string(),
        /** Empty: nothing could be compared. */
        reference: z.string(),
        state_step: z.int().optional(),
        state_node: z.string().optional(),
        spike_step: z.int().optional(),
        spike_node: z.string().optional(),
        spike_neuron: z.int().optional(),
        text: z.string(),
      }),
    )
    .default([]),
});

export type DisputeRecord = z.infer<typeof recordSchema>;

/**
 * In the order of the file. Skips a line that is not a record: a crash may leave an incomplete one. Throws UsageError.
 */
export async function* readDisputes(file: string): AsyncGenerator<DisputeRecord> {
  for await (const { text } of new LineSource(file)) {
    const { success, data } = recordSchema.safeParse(parse(text));
    if (success) yield data;
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
