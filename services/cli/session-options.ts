// Session options of `reason` besides the id, and the file for the state.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { ReasonResponse, Session } from '../generated/tandem/v1/reasoning.ts';
import { wholeNumber } from './arguments.ts';
import { UsageError } from './usage-error.ts';

const UINT32_MAX = 4_294_967_295;

export interface SessionOptions {
  readonly session?: string;
  readonly expectedStep?: number;
  readonly state?: string;
  readonly saveState?: string;
  readonly close?: boolean;
}

export function addSessionOptions(command: Command): Command {
  return command
    .option(
      '--expected-step <n>',
      'with --session: refuse unless the session is at this step',
      wholeNumber(0, UINT32_MAX),
    )
    .option('--state <file>', 'with --session: open it with the state in this file')
    .option('--save-state <file>', 'with --session: write the state after this input to a file')
    .option('--close', 'with --session: end the session after this input');
}

/** Throws UsageError for an option that needs a session, or a file that cannot be read. */
export function toSession(options: SessionOptions): Session | undefined {
  const { session: id, expectedStep, state, saveState, close = false } = options;
  if (id === undefined) {
    const needs = expectedStep !== undefined || state !== undefined || saveState !== undefined || close;
    if (!needs) return undefined;
    throw new UsageError(
      '--expected-step, --state, --save-state and --close need --session; example: --session robot-7',
    );
  }
  const bytes = state === undefined ? Buffer.alloc(0) : readState(state);
  return { id, state: bytes, returnState: saveState !== undefined, close, expectedStep };
}

/** Writes the state to the user's file. Throws UsageError if the file cannot be written. */
export function saveState({ session }: ReasonResponse, { saveState: file }: SessionOptions): void {
  if (file === undefined) return;
  try {
    writeFileSync(file, session?.state ?? Buffer.alloc(0));
  } catch (error) {
    throw new UsageError(`cannot write the state to "${file}": ${(error as Error).message}`);
  }
}

/** Reads a file that --save-state wrote. Throws UsageError. */
export function readState(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`cannot read the state in "${file}": ${(error as Error).message}`);
  }
}
