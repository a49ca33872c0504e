// Limits on a user's documents, on disk and, once they are queried, in the router's memory.

export const MAX_CORPORA = 64;
/** Of one corpus. */
export const MAX_DOCUMENTS = 20_000;
export const MAX_PASSAGES = 50_000;
export const MAX_CORPUS_BYTES = 64 * 1024 * 1024;

export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
export const MAX_DOCUMENT_NAME_CHARS = 512;
/** Longer paragraphs are split. */
export const MAX_PASSAGE_CHARS = 1_000;
