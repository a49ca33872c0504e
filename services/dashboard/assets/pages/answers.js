// The answers that this page received. They are only in the page's memory: the router does not keep them.

const MAX_KEPT = 20;

/**
 * Newest first: `{response, labels, known, replayed}`. `known`: the expected digest of a known input, or empty.
 * `replayed`: the dispute whose input it was, or undefined.
 */
export const answers = [];

export function keep(answer) {
  answers.unshift(answer);
  answers.length = Math.min(answers.length, MAX_KEPT);
}

/** ENUM_NAME_VALUE → VALUE, as protobuf's JSON writes enums. */
export function valueOf(name, prefix) {
  return String(name ?? '').replace(`${prefix}_`, '');
}

/** Protobuf's JSON writes 64-bit integers as decimal strings. */
export function hex64(decimal) {
  return BigInt(decimal ?? 0)
    .toString(16)
    .padStart(16, '0');
}

/**
 * Layers in the form that the pictures need: `{name, neurons, spikesPerStep, events: [step, neuron][] | undefined,
 * leftOut}`.
 * @param {any} response
 */
export function layersOf({ layers = [] }) {
  return layers.map((layer) => {
    const { spikesPerStep = [], eventSteps, eventNeurons = [] } = layer;
    const events = layer.events ?? eventSteps?.map((step, at) => [step, eventNeurons[at]]);
    return {
      name: layer.name ?? layer.node ?? '',
      neurons: Number(layer.neurons ?? 0),
      spikesPerStep: spikesPerStep.map(Number),
      events: events?.length > 0 ? events : undefined,
      leftOut: Number(layer.eventsLeftOut ?? 0),
    };
  });
}
