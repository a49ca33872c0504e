// The limits of proto/NUMERICS.md, and one of memory that they imply but do not bound.

export const MAX_FILE_BYTES = 256 * 1024 * 1024;
export const MAX_NODES = 4096;
export const MAX_DEPTH = 16;
export const MAX_EDGES = 65_536;
export const MAX_NODE_ELEMENTS = 1_048_576;
export const MAX_PARAMETER_ELEMENTS = 67_108_864;
export const MAX_STEPS = 100_000;

/** What one loaded model may take to run: weights, parameters spread over their nodes, state, outputs. */
export const MAX_MODEL_BYTES = 1024 * 1024 * 1024;
