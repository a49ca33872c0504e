// The limits of proto/NUMERICS.md.

export const MAX_FILE_BYTES = 256 * 1024 * 1024;
export const MAX_NODES = 4096;
export const MAX_DEPTH = 16;
/** UTF-8, after flattening. */
export const MAX_NAME_BYTES = 1024;
export const MAX_EDGES = 65_536;
export const MAX_NODE_ELEMENTS = 1_048_576;
export const MAX_PARAMETER_ELEMENTS = 67_108_864;
export const MAX_STEPS = 100_000;

/** Of all nodes together, each counted as the larger of its input and its output. */
export const MAX_GRAPH_ELEMENTS = 16_777_216;

/** Of a Conv or a pool, in one step. */
export const MAX_WINDOW_ADDITIONS = 2 ** 32;
