// The state of an engine, for displays and metrics.

export const ENGINE_STATES = ['READY', 'DOWN', 'DRAINING', 'QUARANTINED', 'DUPLICATE', 'UNUSABLE'] as const;

export type EngineState = (typeof ENGINE_STATES)[number];
