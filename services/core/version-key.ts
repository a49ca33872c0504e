// The key of a model version in tables. Kept, because a new string has to be hashed for every look-up.

const MAX_KEYS = 4_096;
const keys = new Map<string, Map<number, string>>();
let count = 0;

/** "name/version". */
export function versionKey(name: string, version: number): string {
  return keys.get(name)?.get(version) ?? added(name, version);
}

function added(name: string, version: number): string {
  if (count === MAX_KEYS) {
    keys.clear();
    count = 0;
  }
  const key = `${name}/${version}`;
  keys.set(name, (keys.get(name) ?? new Map<number, string>()).set(version, key));
  count += 1;
  return key;
}
