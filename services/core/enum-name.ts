/** The name of an enum value without its enum's: "GRADE_SINGLE" → "SINGLE". */
export function withoutPrefix(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}
