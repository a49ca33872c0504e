import { Command } from 'commander';
import { settingsJsonSchema } from '../config/catalogue.ts';
import { type Change, checkSettings, ConfigError } from '../config/load.ts';
import { printSettings } from '../config/print.ts';
import { type GlobalOptions, callAdmin, print } from './client.ts';
import { tokenCommand } from './config-token.ts';
import { USAGE } from './exit-codes.ts';
import { table } from './table.ts';

const FILE = 'settings in YAML (default: TANDEM_CONFIG, else none)';

export function configCommand(): Command {
  return new Command('config')
    .addHelpText(
      'after',
      `
Examples: npx tandem config print > tandem.yaml
          npx tandem config check tandem.yaml
          npm start -- --config tandem.yaml
          npx tandem config reload`,
    )
    .addCommand(checkCommand())
    .addCommand(printCommand())
    .addCommand(schemaCommand())
    .addCommand(reloadCommand())
    .addCommand(tokenCommand());
}

function checkCommand(): Command {
  return new Command('check')
    .description('check the settings; list problems, or the differences from the defaults')
    .argument('[file]', FILE)
    .addHelpText(
      'after',
      `
It exits with 0 if the router would start with them, and with 2 if not: every problem is one line.

Example: npx tandem config check tandem.yaml`,
    )
    .action((file: string | undefined, _options: unknown, command: Command) => {
      const { problems, changes } = checkSettings({ file });
      print(command, { ok: problems.length === 0, problems, changes }, () =>
        problems.length === 0 ? describeChanges(changes) : problems.join('\n'),
      );
      if (problems.length > 0) process.exitCode = USAGE;
    });
}

function describeChanges(changes: readonly Change[]): string {
  if (changes.length === 0) return 'settings are fine; all of them are defaults';
  const rows = changes.map((change) => [change.key, shown(change.value), shown(change.default), change.where]);
  return `settings are fine; what differs from the defaults:\n\n${table(['SETTING', 'VALUE', 'DEFAULT', 'FROM'], rows)}`;
}

function shown(value: unknown): string {
  return value === undefined ? 'unset' : JSON.stringify(value);
}

function printCommand(): Command {
  return new Command('print')
    .description('every setting with its meaning, range, default and variable, as a settings file')
    .argument('[file]', FILE)
    .addHelpText('after', '\nExample: npx tandem config print > tandem.yaml')
    .action((file: string | undefined, _options: unknown, command: Command) => {
      const { settings, problems, changes } = checkSettings({ file });
      if (settings === undefined) throw new ConfigError(problems.join('\n'));
      print(command, settings, () => printSettings(settings, changes).trimEnd());
    });
}

function reloadCommand(): Command {
  return new Command('reload')
    .description('Reload the settings of the running router, all or none; print what has changed.')
    .addHelpText(
      'after',
      `
The router reads the file, variables and flags that it was started with. A setting that only a restart changes is refused.

Example: npx tandem config reload`,
    )
    .action(async (_options: unknown, command: Command) => {
      const { ReloadSettingsResponse, SettingsServiceClient } = await import('../generated/tandem/v1/settings.ts');
      const response = await callAdmin(command, SettingsServiceClient, (client) => client.reloadSettings, {});
      const { changes } = response;
      print(command, ReloadSettingsResponse.toJSON(response), () => changes.join('\n') || 'nothing has changed');
    });
}

function schemaCommand(): Command {
  return new Command('schema')
    .description('the settings file’s JSON Schema, for editors')
    .addHelpText(
      'after',
      `
Editors with yaml-language-server (VS Code’s YAML extension, Neovim, …) complete and check a settings file whose first
line says where the schema is:

  # yaml-language-server: $schema=./tandem.schema.json

Example: npx tandem config schema > tandem.schema.json`,
    )
    .action((_options: GlobalOptions) => {
      process.stdout.write(`${JSON.stringify(settingsJsonSchema(), null, 2)}\n`);
    });
}
