// How an engine is, for everything that shows or counts it.

export const ENGINE_STATES = ['READY', 'DOWN', 'DRAINING', 'QUARANTINED', 'DUPLICATE', 'UNUSABLE'] as const;

export type EngineState = (typeof ENGINE_STATES)[number];
