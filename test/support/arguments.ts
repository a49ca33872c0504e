// Reads the arguments of a program of `test/`. A wrong one ends it with the reason, as the programs of users do.
import { type ParseArgsConfig, parseArgs } from 'node:util';

export function parseArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nSee --help.\n`);
    process.exit(2);
  }
}
