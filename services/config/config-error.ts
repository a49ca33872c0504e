/** An invalid setting. The message is one line and names the key. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
