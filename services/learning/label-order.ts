// Teachers may list the same labels in different orders: labels are matched by text.

/** A problem with a teacher's labels. The message is for the caller. */
export class LabelMismatch extends Error {}

/**
 * For each of `labels`, its index in `own`. Throws LabelMismatch unless both have the same labels without duplicates.
 * `model`, `first`: owners of the labels, for the message.
 */
export function labelOrder(
  labels: readonly string[],
  own: readonly string[],
  { model, first }: { readonly model: string; readonly first: string },
): number[] {
  if (own.length === 0) throw new LabelMismatch(`model "${model}" has no labels; a teacher needs them`);
  const indexes = new Map(own.map((label, index) => [label, index]));
  if (indexes.size !== own.length) {
    const twice = own.find((label, index) => own.indexOf(label) !== index);
    throw new LabelMismatch(`model "${model}" has the label "${twice}" twice; a teacher needs distinct labels`);
  }
  const missing = labels.find((label) => !indexes.has(label));
  if (missing !== undefined) throw new LabelMismatch(other(model, `has no label "${missing}"`, first));
  const known = new Set(labels);
  const extra = own.find((label) => !known.has(label));
  if (extra !== undefined) throw new LabelMismatch(other(model, `has the label "${extra}"`, first));
  return labels.map((label) => indexes.get(label)!);
}

function other(model: string, what: string, first: string): string {
  return `model "${model}" ${what}, unlike "${first}"; teachers must have the same labels`;
}
