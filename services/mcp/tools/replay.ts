import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { hex64 } from '../../core/hex.ts';
import { EngineAdminServiceClient } from '../../generated/tandem/v1/engines.ts';
import type { RouterConnection } from '../router-connection.ts';
import { numberFields } from './input.ts';
import { READ_ONLY, structured } from './tool.ts';

const engineSchema = z.object({
  engine: z.string(),
  build: z.string(),
  state_digest: z.string().describe('Fingerprint of its run, 16 hexadecimal digits. Engines with equal digests agree.'),
  error: z.string().describe('Why it did not answer. Empty: it did.'),
});

const differenceSchema = z.object({
  engine: z.string(),
  reference: z.string().describe('An engine of the largest group that agrees.'),
  step: z.int().describe('The first step at which they differ, from 0.'),
  node: z.string(),
  neuron: z.int(),
  quantity: z.string().describe('current, potential or output.'),
  value: z.number().nullable().describe('null: not a number.'),
  reference_value: z.number().nullable(),
});

export function addReplay(server: McpServer, admin: RouterConnection): void {
  server.registerTool(
    'replay',
    {
      title: 'Run one input on every engine',
      description:
        'Run an input on every engine and return the digest of each, and the first step, node and neuron at which one differs from the others. Needs the role "operate" where the router asks for roles.',
      inputSchema: z.strictObject({ ...numberFields, model: z.string().min(1).describe('Name of the model.') }),
      outputSchema: z.object({
        model_id: z.string().describe('Identity of weights and run settings, 16 hexadecimal digits.'),
        engines: z.array(engineSchema),
        differences: z.array(differenceSchema).describe('Empty: all engines agree.'),
      }),
      annotations: READ_ONLY,
    },
    async ({ encoding, model, model_version: modelVersion }, { mcpReq }) => {
      const data = Buffer.from(Float32Array.from(encoding).buffer);
      const request = {
        model,
        modelVersion,
        tensor: { shape: [encoding.length], dtype: 'FP32', data },
        state: Buffer.alloc(0),
      };
      const client = EngineAdminServiceClient;
      const response = await admin.call(client, (each) => each.replayInput, request, mcpReq.signal);
      return structured({
        model_id: hex64(response.modelId),
        engines: response.engines.map(({ engineId, build, stateDigest, error }) => ({
          ...{ engine: engineId, build, error, state_digest: hex64(stateDigest) },
        })),
        differences: response.differences.map(({ engineId, referenceEngineId, element, ...difference }) => ({
          ...{ engine: engineId, reference: referenceEngineId, neuron: element },
          ...{ step: difference.step, node: difference.node, quantity: difference.quantity },
          value: numberOf(difference.valueBits),
          reference_value: numberOf(difference.referenceBits),
        })),
      });
    },
  );
}

/** The number with these binary32 bits. */
function numberOf(bits: number): number | null {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(bits);
  const value = bytes.readFloatLE();
  return Number.isFinite(value) ? value : null;
}
