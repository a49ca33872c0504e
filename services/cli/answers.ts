// Prints the answers to many inputs: one line each, as they arrive, and a summary.
import type { Command } from 'commander';
import { type ReasonError, type ReasonResponse, ReasonStreamResponse } from '../generated/tandem/v1/reasoning.ts';
import type { GlobalOptions } from './client.ts';
import { REFUSED } from './exit-codes.ts';
import { write } from './output.ts';
import type { Progress } from './progress.ts';

const HEAD = columns('ID', 'LABEL', 'CONFIDENCE', 'MS', 'ENGINE');

export class Answers {
  answered = 0;
  failed = 0;
  readonly #json: boolean;
  readonly #progress: Progress;
  readonly #startedMs = performance.now();
  #isHeadWritten = false;

  constructor(command: Command, progress: Progress) {
    this.#json = command.optsWithGlobals<GlobalOptions>().json;
    this.#progress = progress;
  }

  /** Resolves when it is written. */
  async add(response: ReasonStreamResponse): Promise<void> {
    const answer = inWordsOfTheLine(response);
    if (answer.outcome?.$case === 'result') this.answered += 1;
    else this.failed += 1;
    const head = this.#json || this.#isHeadWritten ? '' : `${HEAD}\n`;
    this.#isHeadWritten = true;
    if (process.stdout.isTTY) this.#progress.clear();
    await write(`${head}${this.#json ? JSON.stringify(ReasonStreamResponse.toJSON(answer)) : row(answer)}\n`);
    this.#progress.show(this.answered + this.failed);
  }

  /** Prints the summary and sets the exit code. */
  finish(): void {
    this.#progress.clear();
    const seconds = (performance.now() - this.#startedMs) / 1_000;
    const rate = (this.answered + this.failed) / seconds;
    process.stderr.write(
      `answered ${count(this.answered)}, failed ${count(this.failed)}, in ${seconds.toFixed(1)} s (${count(rate)} per second)\n`,
    );
    if (this.failed > 0) process.exitCode = REFUSED;
  }
}

/** Lists of numbers are sent as a tensor; the user's line calls them "encoding". */
function inWordsOfTheLine(response: ReasonStreamResponse): ReasonStreamResponse {
  const { outcome } = response;
  if (outcome?.$case !== 'error' || !outcome.value.field.startsWith('tensor.')) return response;
  return { ...response, outcome: { $case: 'error', value: { ...outcome.value, field: 'encoding' } } };
}

function row({ requestId, outcome }: ReasonStreamResponse): string {
  if (outcome?.$case === 'result') return resultRow(requestId, outcome.value);
  return `${requestId.padEnd(14)}  ${outcome ? reasonText(outcome.value) : 'the router gave neither a result nor an error'}`;
}

function resultRow(id: string, result: ReasonResponse): string {
  const label = result.label || `output ${result.labelIndex}`;
  const confidence = `${(result.confidence * 100).toFixed(1)} %`;
  return columns(id, label, confidence, result.processingTimeMs.toFixed(2), result.engine?.engineId ?? '?');
}

function reasonText({ reason, message, field }: ReasonError): string {
  return `${reason}: ${message}${field ? ` (field ${field})` : ''}`;
}

/** Rows of a table that is still growing: column widths are fixed, and a wider value shifts the rest of its line. */
function columns(id: string, label: string, confidence: string, ms: string, engine: string): string {
  return `${id.padEnd(14)}  ${label.padEnd(20)}  ${confidence.padStart(10)}  ${ms.padStart(8)}  ${engine}`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
