import { Command, InvalidArgumentError, Option } from 'commander';
import { EventServiceClient, PublishResponse, Severity, severityFromJSON } from '../generated/tandem/v1/events.ts';
import { call, print } from './client.ts';
import { valuesOf } from './words.ts';

interface Options {
  readonly data?: Readonly<Record<string, string>>;
  readonly severity: string;
}

const SEVERITIES = valuesOf(Severity, 'SEVERITY_').map((name) => name.toLowerCase());

export function publishCommand(): Command {
  return new Command('publish')
    .argument('<topic>', '"user." and a name, such as user.deploy')
    .argument('<text>', 'what happened')
    .option('-d, --data <key=value>', 'a detail for programs; may be repeated', collect)
    .addOption(new Option('--severity <level>', 'the severity').choices(SEVERITIES).default('info'))
    .addHelpText('after', '\nExample: npx tandem publish user.deploy "version 7 is out" --data version=7')
    .action(async (topic: string, text: string, { data = {}, severity }: Options, command: Command) => {
      const request = {
        topic,
        text,
        data: { ...data },
        severity: severityFromJSON(`SEVERITY_${severity.toUpperCase()}`),
        payload: new Uint8Array(),
      };
      const response = await call(command, EventServiceClient, (client) => client.publish, request);
      print(command, PublishResponse.toJSON(response), () => `published on ${topic} as event ${response.sequence}`);
    });
}

function collect(entry: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const sign = entry.indexOf('=');
  if (sign < 1) throw new InvalidArgumentError('It must be key=value.');
  return { ...before, [entry.slice(0, sign)]: entry.slice(sign + 1) };
}
