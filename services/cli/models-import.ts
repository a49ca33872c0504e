import { mkdirSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { Command, Option } from 'commander';
import type { ImportedModel } from '../importing/import-model.ts';
import { FRAMEWORKS } from '../models/frameworks.ts';
import { print } from './client.ts';
import { UsageError } from './usage-error.ts';
import { REFUSED } from './exit-codes.ts';
import { table } from './table.ts';

interface Options {
  readonly from: string;
  readonly check?: string;
  readonly dt?: number;
  readonly name?: string;
  readonly into: string;
  readonly force?: boolean;
}

export function importCommand(): Command {
  return new Command('import')
    .description('Make a model folder from a NIR file, with the settings that its exporter means. Needs no router.')
    .argument('<file>', 'the .nir file')
    .addOption(
      new Option('--from <framework>', 'the framework that exported it')
        .choices(Object.keys(FRAMEWORKS))
        .makeOptionMandatory(),
    )
    .option('--check <recording>', 'Compare with a run of the framework: an .npz file with "input" and "output".')
    .option('--dt <seconds>', 'seconds per step, if not the exporter’s default', Number)
    .option('--name <name>', 'name of the model (default: the name of the file)')
    .option('--into <folder>', 'model repository to write to', '.')
    .option('--force', 'Replace an existing model.')
    .addHelpText(
      'after',
      `
A recording has the arrays "input" [steps, ...] and "output" [steps, ...]; further arrays are compared with the nodes of
their names: numpy.savez("run.npz", input=inputs, output=spikes). Settings that the file does not tell apart are then
found by trying. It exits with 1 if the served network does something else.

Example: npx tandem models import net.nir --from snntorch --check run.npz --into deploy/models`,
    )
    .action(async (file: string, options: Options, command: Command) => {
      if (options.dt !== undefined && !(options.dt > 0 && Number.isFinite(options.dt))) {
        throw new UsageError('--dt: must be a number of seconds above 0');
      }
      const { importModel, isAlike } = await import('../importing/import-model.ts');
      const nir = readFileSync(file);
      const imported = importModel(nir, {
        framework: FRAMEWORKS[options.from]!,
        ...(options.dt === undefined ? {} : { dt: options.dt }),
        ...(options.check === undefined ? {} : { recording: readFileSync(options.check) }),
      });
      const name = options.name ?? basename(file, extname(file));
      const folder = join(options.into, name);
      writeModel(folder, nir, imported.manifest, options.force ?? false);
      const { comparison, decisions, remarks } = imported;
      const alike = comparison === undefined ? undefined : isAlike(comparison);
      print(command, { folder, decisions, remarks, comparison: comparison ?? null, alike: alike ?? null }, () =>
        describe(folder, options, imported, alike),
      );
      if (alike === false) process.exitCode = REFUSED;
    });
}

function writeModel(folder: string, nir: Uint8Array, manifest: string, force: boolean): void {
  const [yaml, version] = [join(folder, 'model.yaml'), join(folder, '1')];
  if (existsSync(yaml) && !force) throw new UsageError(`${yaml} exists; give --force to replace it, or another --name`);
  mkdirSync(version, { recursive: true });
  writeFileSync(join(version, 'model.nir'), nir);
  writeFileSync(yaml, manifest);
}

function describe(
  folder: string,
  { from, check }: Options,
  imported: ImportedModel,
  alike: boolean | undefined,
): string {
  const rows = imported.decisions.map(({ key, value, why }) => [key, value, why]);
  const remarks = imported.remarks.map((remark) => `note: ${remark}`);
  return [
    `${folder}/model.yaml as ${FRAMEWORKS[from]!.title} means it:`,
    '',
    table(['SETTING', 'VALUE', 'WHY'], rows),
    '',
    ...remarks,
    alike === undefined ? 'not compared with a run of the framework; give --check' : verdict(check!, imported, alike),
  ].join('\n');
}

function verdict(check: string, { comparison }: ImportedModel, alike: boolean): string {
  const { difference, equalSteps, values, failed } = comparison!;
  if (alike) return `equal to ${check}: all ${equalSteps} steps, ${values} values`;
  if (difference === undefined) return `differs from ${check}: the run ends early: ${failed}`;
  const { step, node, neuron, recorded, served } = difference;
  return (
    `differs from ${check} first at step ${step}, node "${node}", neuron ${neuron}: ` +
    `recorded ${recorded}, served ${served}; ${equalSteps} steps before are equal`
  );
}
