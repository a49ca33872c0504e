// Offsets of the fixed parts of a session state: proto/NUMERICS.md, "Session state".

/** "TST1", as a little-endian number. */
export const STATE_MAGIC = 0x31545354;
export const BODY_BYTES_AT = 4;
export const TOTAL_SPIKES_AT = 8;
export const SYNAPTIC_OPERATIONS_AT = 16;
export const INPUT_DIGEST_AT = 24;
export const BODY_AT = 32;
export const MODEL_ID_AT = BODY_AT;
export const STEPS_AT = BODY_AT + 8;
export const COUNTS_AT = BODY_AT + 12;
/** Checksum of everything before it; at the end. */
export const CHECKSUM_BYTES = 8;
