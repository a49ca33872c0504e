import { createHash, randomBytes } from 'node:crypto';
import { Command, Option } from 'commander';
import { ROLES } from '../core/roles.ts';
import { print } from './client.ts';

const TOKEN_BYTES = 32;

export function tokenCommand(): Command {
  return new Command('token')
    .description('make a bearer token for a caller, and the line for the settings file that knows it')
    .argument('<name>', 'name of the caller')
    .addOption(new Option('-r, --role <role...>', 'what the caller may do').choices(ROLES).default(['reason']))
    .addHelpText(
      'after',
      `
The token is shown once; the settings hold its SHA-256 only.

Example: npx tandem config token robot-1 --role reason observe`,
    )
    .action((name: string, { role }: { readonly role: readonly string[] }, command: Command) => {
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      const sha256 = createHash('sha256').update(token).digest('hex');
      const entry = { name, sha256, roles: role };
      print(command, { token, setting: entry }, () => text(token, entry));
    });
}

function text(
  token: string,
  { name, sha256, roles }: { name: string; sha256: string; roles: readonly string[] },
): string {
  return [
    `Token of ${name}, shown only now:  ${token}`,
    '',
    'In the settings file, under auth.tokens:',
    `  - { name: ${name}, sha256: ${sha256}, roles: [${roles.join(', ')}] }`,
    '',
    `Try it:  TANDEM_CLIENT_TOKEN=${token} npx tandem ping`,
  ].join('\n');
}
