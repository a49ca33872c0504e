// Converts names to those of the proto files.

const FIELD_NAME = /^[a-z][A-Za-z0-9]*$/;

/** Example: `modelVersion` → `model_version`. Keys of a map, such as names of errors, stay as they are. */
export function snakeKey(key: string): string {
  return FIELD_NAME.test(key) ? key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : key;
}
