// Prints the settings as a commented settings file, which can be edited and loaded.
import { stringify } from 'yaml';
import { SETTINGS, type Setting, settingsJsonSchema, type Shape } from './catalogue.ts';
import type { Change } from './load.ts';
import { allowed } from './problems.ts';
import type { Settings } from './schema.ts';
import { valueAt } from './sources.ts';

const WIDTH = 116;

export function printSettings(settings: Settings, changes: readonly Change[]): string {
  const changed = new Map(changes.map((change) => [change.key, change]));
  const lines = [
    '# Settings of Tandem. Every value may also come from the environment variable that is named beside it.',
    '# SIGHUP reloads the settings: those marked "live" change at once, the others need a restart.',
    changed.size > 0 ? '# Values that differ from the default are marked "changed".' : '# All of them are defaults.',
  ];
  const walk = (shape: Shape, path: readonly string[]): void => {
    for (const [name, child] of Object.entries(shape.properties ?? {})) {
      const here = [...path, name];
      const indent = '  '.repeat(path.length);
      if (path.length === 0) lines.push('');
      if (child.properties) {
        lines.push(...comment(child.description ?? '', indent), `${indent}${name}:`);
        walk(child, here);
      } else {
        const setting = SETTINGS.find(({ key }) => key === here.join('.'))!;
        lines.push(...entry(setting, valueAt(settings, here), changed.get(setting.key), indent));
      }
    }
  };
  walk(settingsJsonSchema(), []);
  return `${lines.join('\n')}\n`;
}

function entry(setting: Setting, value: unknown, change: Change | undefined, indent: string): string[] {
  const name = setting.path.at(-1)!;
  const { default: usual } = setting;
  const facts = [
    allowed(setting.key, setting.shape),
    usual === undefined ? 'unset by default' : `default ${JSON.stringify(usual)}`,
    setting.variable,
    ...(setting.isLive ? ['live'] : []),
    ...(change ? [`changed by ${change.where}`] : []),
  ];
  // A setting without a value stays a comment: YAML's null is a value, which the schema refuses.
  const yaml = value === undefined ? `# ${name}:` : stringify({ [name]: value }, { lineWidth: 0 }).trimEnd();
  return [
    ...comment(setting.doc, indent),
    `${indent}# ${facts.join(' · ')}`,
    ...yaml.split('\n').map((line) => `${indent}${line}`),
  ];
}

function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || indent.length + line.length + word.length > WIDTH) lines.push(`# ${word}`);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.map((line) => `${indent}${line}`);
}
