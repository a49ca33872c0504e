// `tandem models add | load | unload | golden`: changes model versions while the router runs.
import * as grpc from '@grpc/grpc-js';
import { Command } from 'commander';
import {
  LoadModelRequest,
  LoadModelResponse,
  MakeGoldenResponse,
  type Model,
  ModelServiceClient,
  UnloadModelResponse,
} from '../generated/tandem/v1/models.ts';
import { wholeNumber } from './arguments.ts';
import { type GlobalOptions, callOver, connectAdmin, print } from './client.ts';
import { table } from './table.ts';

/** Default time limit of a change without --timeout-ms: engines may have to read large files. */
const TIMEOUT_MS = 120_000;
const MAX_VERSION = 999_999_999;
const MAX_CASES = 64;
const version = wholeNumber(1, MAX_VERSION);

type Change<Request, Response> = Parameters<typeof callOver<ModelServiceClient, Request, Response>>[1];

async function change<Request, Response>(
  command: Command,
  method: Change<Request, Response>,
  request: Request,
): Promise<Response> {
  const isGiven = command.getOptionValueSourceWithGlobals('timeoutMs') !== 'default';
  const timeoutMs = isGiven ? command.optsWithGlobals<GlobalOptions>().timeoutMs : TIMEOUT_MS;
  const connection = connectAdmin(command, ModelServiceClient);
  try {
    return await callOver(connection, method, request, timeoutMs);
  } finally {
    connection.close();
  }
}

/** Prints one line to standard error if that is a terminal. */
function tell(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${text}\n`);
}

interface AddOptions {
  readonly name?: string;
  readonly asVersion?: number;
  readonly manifest?: string;
  readonly reload?: boolean;
}

export function addCommand(): Command {
  return new Command('add')
    .description('Store a NIR file in the router’s model repository and load it on all engines.')
    .argument('<file>', 'the .nir file')
    .option('--name <name>', 'name of the model (default: that of its manifest, else of the file)')
    .option('--as-version <n>', 'number of the version (default: one more than the highest)', version)
    .option('--manifest <file>', 'its model.yaml (default: the one beside the file, else all defaults)')
    .option('--reload', 'Replace the version if it exists with other content.')
    .addHelpText(
      'after',
      `
Files that the manifest names (labels, golden) are read beside it and sent, too. "models import" writes a manifest for a
file of a framework.

Example: npx tandem models add net.nir
         npx tandem models add net.nir --name digits --manifest digits.yaml`,
    )
    .action(async (file: string, options: AddOptions, command: Command) => {
      const { readModelFiles } = await import('./model-files.ts');
      const { name, nir, manifest, labels, golden } = readModelFiles(file, options);
      const request = LoadModelRequest.fromPartial({
        ...{ name, nir, manifest, labels, golden },
        version: options.asVersion ?? 0,
        reload: options.reload ?? false,
      });
      tell(`${file}: ${nir.length} bytes → model ${name}; engines load and check it …`);
      const response = await change(command, ({ loadModel }) => loadModel, request).catch((error: unknown) => {
        throw explained(error, nir.length, name);
      });
      print(command, LoadModelResponse.toJSON(response), () => describeLoad(response));
    });
}

export function loadCommand(): Command {
  return new Command('load')
    .description('Load a version of the model repository on all engines.')
    .argument('<name>', 'name of the model')
    .argument('[version]', 'number of the version (default: the highest)', version)
    .option('--reload', 'Replace the loaded version if its files have changed.')
    .addHelpText('after', '\nExample: npx tandem models load supersense 2')
    .action(async (name: string, number: number | undefined, { reload = false }: AddOptions, command: Command) => {
      const request = LoadModelRequest.fromPartial({ name, version: number ?? 0, reload });
      const response = await change(command, ({ loadModel }) => loadModel, request);
      print(command, LoadModelResponse.toJSON(response), () => describeLoad(response));
    });
}

export function unloadCommand(): Command {
  return new Command('unload')
    .description('Stop serving a version; requests in flight are finished first. Its files stay.')
    .argument('<name>', 'name of the model')
    .argument('[version]', 'number of the version (default: the latest)', version)
    .option('--delete-files', 'Delete its files, too.')
    .addHelpText('after', '\nExample: npx tandem models unload supersense 2')
    .action(
      async (
        name: string,
        number: number | undefined,
        { deleteFiles = false }: { deleteFiles?: boolean },
        command: Command,
      ) => {
        const request = { name, version: number ?? 0, deleteFiles };
        const response = await change(command, ({ unloadModel }) => unloadModel, request);
        print(command, UnloadModelResponse.toJSON(response), () => describeUnload(response));
      },
    );
}

export function goldenCommand(): Command {
  return new Command('golden')
    .description('Make golden vectors for a model that has none: inputs, with answers on which all engines agree.')
    .argument('<name>', 'name of the model')
    .argument('[version]', 'number of the version (default: the latest)', version)
    .option('--cases <n>', 'how many', wholeNumber(1, MAX_CASES), 8)
    .option('--replace', 'Replace existing golden vectors.')
    .addHelpText('after', '\nExample: npx tandem models golden net --cases 16')
    .action(
      async (
        name: string,
        number: number | undefined,
        { cases, replace = false }: { cases: number; replace?: boolean },
        command: Command,
      ) => {
        const request = { name, version: number ?? 0, cases, replace };
        const response = await change(command, ({ makeGolden }) => makeGolden, request);
        print(command, MakeGoldenResponse.toJSON(response), () => describeGolden(response));
      },
    );
}

function describeLoad({ model, wasServed, engines, knownInputs, processingTimeMs }: LoadModelResponse): string {
  const what = shown(model);
  if (wasServed) return `${what} is served already, with the same content`;
  const evidence = model?.goldenVectors === 0 ? 'made-up inputs, on which they agreed' : 'golden vectors';
  const lines = [
    `${what} is served: ${engines.length} engines loaded it and answered ${knownInputs} ${evidence}, in ${Math.round(processingTimeMs)} ms`,
    '',
    table(
      ['ENGINE', 'MS'],
      engines.map(({ engineId, tookMs }) => [engineId, Math.round(tookMs)]),
    ),
    '',
    `input: ${model?.inputKind} [${model?.inputShape.join(', ')}], ${model?.outputSize} outputs`,
  ];
  if ((model?.defaults.length ?? 0) > 0) lines.push(`defaults used: ${model?.defaults.join(', ')}`);
  if (model?.goldenVectors === 0) lines.push(`no golden vectors yet: npx tandem models golden ${model.name}`);
  return lines.join('\n');
}

function describeUnload({ model, drained, isRemembered }: UnloadModelResponse): string {
  const line = `${shown(model)} is unloaded; ${drained} requests in flight were finished first`;
  if (isRemembered) return line;
  return `${line}\nthe model repository cannot be written: the next start of the router serves it again`;
}

function describeGolden({ model, cases, engineIds, engineKinds }: MakeGoldenResponse): string {
  const line = `${shown(model)} has ${cases} golden vectors, on which ${engineIds.join(', ')} agree`;
  if (engineKinds > 1) return line;
  return `${line}\nthese engines are of one kind: a fault that all of them have would be in the vectors, too`;
}

function shown(model: Model | undefined): string {
  return `model ${model?.name}/${model?.version}`;
}

/** gRPC's own error for a large message does not say what to do. */
function explained(error: unknown, bytes: number, name: string): unknown {
  const { code, metadata } = error as Partial<grpc.ServiceError>;
  const isOurs = metadata?.get('grpc-status-details-bin').length !== 0;
  if (code !== grpc.status.RESOURCE_EXHAUSTED || isOurs) return error;
  return new Error(
    `the router takes no message of ${bytes} bytes; copy the file into its model repository as ` +
      `${name}/<version>/model.nir, then "npx tandem models load ${name}", or raise its setting max_message_bytes`,
  );
}
