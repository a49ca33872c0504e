// Which engines there are, and when they are kept out.
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
      .describe('Where it listens. Examples: "127.0.0.1:50061", "unix:/run/tandem/engine-1.sock".'),
  })
  .describe('A sidecar that this router does not start.');

const targetSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,22}$/, 'must be letters, digits, ".", "_" or "-", at most 23')
      .describe('What the names of its engines begin with: "engine" makes "engine-10-0-0-3".'),
    address: z
      .string()
      .regex(ADDRESS, 'must be "host:port"')
      .regex(/^(?!unix:)/, 'must be "host:port"')
      .describe('Where they listen. Example: "engine:50061".'),
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
      .describe('They are resolved anew this long after the last time, and whenever an engine is lost, milliseconds.'),
  })
  .prefault({})
  .describe('Sidecars found by DNS: every address of a host name is one, and they come and go as its addresses do.');

export const spawnSchema = z
  .strictObject({
    count: z
      .int()
      .min(0)
      .max(64)
      .optional()
      .describe(
        'C++ sidecars that the router starts and keeps running. Unset: 2, or none where `sidecars` or `discovery` names some.',
      ),
    base_port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe(
        'Port of the first one; the next ones follow. On 127.0.0.1. Unset: 50061, 50062, …, and in place of a port that is taken a Unix socket in a folder that no other router has.',
      ),
    socket_dir: z.string().default('').describe('Where set, they listen on Unix sockets in this folder.'),
    binary: z.string().min(1).default('sidecar-cpp/build/release/tandem-engine').describe('The program to start.'),
    threads: z.int().min(1).max(256).default(1).describe('Simulating threads of each.'),
  })
  .prefault({})
  .describe('Sidecars on this machine that come and go with the router.');

export const recorderSchema = z
  .strictObject({
    max_bytes: z
      .int()
      .min(0)
      .max(1_099_511_627_776)
      .default(4_194_304)
      .describe('Memory of each engine of this router for recordings of its newest runs, bytes; 0: it keeps none.'),
  })
  .prefault({})
  .describe('What an engine did in its newest runs, for explaining a dispute.');

export const breakerSchema = z
  .strictObject({
    failure_percent: z.int().min(1).max(100).default(50).describe('Share of failures that opens it, percent.'),
    min_requests: z.int().min(1).max(100_000).default(5).describe('Fewer than these in the window never open it.'),
    window_ms: z.int().min(100).max(600_000).default(10_000).describe('How far back it looks, milliseconds.'),
    reset_ms: z.int().min(10).max(600_000).default(500).describe('Open for so long, then one request may try.'),
  })
  .prefault({})
  .describe('The circuit breaker of each engine.');

export const quarantineSchema = z
  .strictObject({
    dissents: z.int().min(1).max(1_000).default(3).describe('Dissents within the window that put an engine out.'),
    window_ms: z.int().min(1_000).max(86_400_000).default(600_000).describe('How far back dissents count.'),
    sit_out_ms: z
      .int()
      .min(10)
      .max(86_400_000)
      .default(5_000)
      .describe('The first pause before a quarantined engine is tried with known inputs; doubles each time.'),
    sit_out_max_ms: z.int().min(10).max(86_400_000).default(300_000).describe('The longest such pause.'),
  })
  .prefault({})
  .describe('Keeping out engines that contradict the majority.')
  .meta(LIVE);
