// Settings of engines, circuit breakers and quarantine.
import { z } from 'zod';
import { ADDRESS } from './addresses.ts';
import { LIVE } from './live.ts';

export const sidecarSchema = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, ".", "_" or "-", at most 63')
      .describe('Name of the engine, unique in the deployment.'),
    address: z
      .string()
      .regex(ADDRESS, 'must be "host:port" or "unix:/path/to.sock"')
      .describe('Its address. Examples: "127.0.0.1:50061", "unix:/run/tandem/engine-1.sock".'),
  })
  .describe('A sidecar that this router does not start.');

const targetSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,22}$/, 'must be letters, digits, ".", "_" or "-", at most 23')
      .describe('Prefix of its engines’ names: "engine" makes "engine-10-0-0-3".'),
    address: z
      .string()
      .regex(ADDRESS, 'must be "host:port"')
      .regex(/^(?!unix:)/, 'must be "host:port"')
      .describe('Their address. Example: "engine:50061".'),
  })
  .describe('Sidecars that share a host name.');

export const discoverySchema = z
  .strictObject({
    targets: z
      .array(targetSchema)
      .max(16)
      .refine((targets) => new Set(targets.map(({ name }) => name)).size === targets.length, {
        error: 'must be targets with names of their own',
      })
      .default([])
      .describe('Host names to resolve.')
      .meta(LIVE),
    interval_ms: z
      .int()
      .min(100)
      .max(600_000)
      .default(2_000)
      .describe('Interval between look-ups, milliseconds. They are also resolved whenever an engine is lost.'),
  })
  .prefault({})
  .describe(
    'Sidecars found by DNS: each address of a host name is one. They are added and removed with the addresses.',
  );

export const spawnSchema = z
  .strictObject({
    count: z
      .int()
      .min(0)
      .max(64)
      .optional()
      .describe(
        'C++ sidecars that the router starts and keeps running. Unset: 2, or none if `sidecars` or `discovery` names some.',
      ),
    base_port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe(
        'Port of the first one, on 127.0.0.1; the others use the next ports. Unset: 50061, 50062, …, and for a port in use a Unix socket in a private folder.',
      ),
    socket_dir: z.string().default('').describe('If set, they listen on Unix sockets in this folder.'),
    binary: z.string().min(1).default('sidecar-cpp/build/release/tandem-engine').describe('The program to start.'),
    threads: z.int().min(1).max(256).default(1).describe('Simulating threads of each.'),
  })
  .prefault({})
  .describe('Sidecars on this machine that start and stop with the router.');

export const recorderSchema = z
  .strictObject({
    max_bytes: z
      .int()
      .min(0)
      .max(1_099_511_627_776)
      .default(4_194_304)
      .describe('Memory in each engine of this router for recordings of its newest runs, bytes; 0: none.'),
  })
  .prefault({})
  .describe('Recordings of an engine’s newest runs, to explain a dispute.');

export const breakerSchema = z
  .strictObject({
    failure_percent: z.int().min(1).max(100).default(50).describe('Share of failures that opens it, percent.'),
    min_requests: z
      .int()
      .min(1)
      .max(100_000)
      .default(5)
      .describe('With fewer requests than this in the window, it never opens.'),
    window_ms: z.int().min(100).max(600_000).default(10_000).describe('Length of the window, milliseconds.'),
    reset_ms: z
      .int()
      .min(10)
      .max(600_000)
      .default(500)
      .describe('Time it stays open, milliseconds; then one request may try.'),
  })
  .prefault({})
  .describe('The circuit breaker of each engine.');

export const quarantineSchema = z
  .strictObject({
    dissents: z.int().min(1).max(1_000).default(3).describe('Dissents within the window that quarantine an engine.'),
    window_ms: z
      .int()
      .min(1_000)
      .max(86_400_000)
      .default(600_000)
      .describe('Length of the window for dissents, milliseconds.'),
    sit_out_ms: z
      .int()
      .min(10)
      .max(86_400_000)
      .default(5_000)
      .describe(
        'First delay before a quarantined engine is tested with golden vectors, milliseconds; doubles each time.',
      ),
    sit_out_max_ms: z.int().min(10).max(86_400_000).default(300_000).describe('Maximum delay, milliseconds.'),
  })
  .prefault({})
  .describe('Quarantine of engines that contradict the majority.')
  .meta(LIVE);
