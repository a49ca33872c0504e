// The key of a model version in tables. Kept, because a new string has to be hashed for every look-up.

const MAX_KEYS = 4_096;
/** No model has a longer name, but a caller may send one. */
const MAX_NAME_CHARS = 128;
const keys = new Map<string, Map<number, string>>();
let count = 0;

/** "name/version". */
export function versionKey(name: string, version: number): string {
  return keys.get(name)?.get(version) ?? added(name, version);
}

function added(name: string, version: number): string {
  const key = `${name}/${version}`;
  if (name.length > MAX_NAME_CHARS) return key;
  if (count === MAX_KEYS) {
    keys.clear();
    count = 0;
  }
  keys.set(name, (keys.get(name) ?? new Map<number, string>()).set(version, key));
  count += 1;
  return key;
}
