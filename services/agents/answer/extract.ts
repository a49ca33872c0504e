// An answer without a language model: the sentences that contain the most words of the query.
import { sentencesOf } from '../text/sentences.ts';
import { contentWords } from '../text/words.ts';
import type { CitedAnswer, Passage } from '../types.ts';

const MAX_SENTENCES = 3;
const MAX_SENTENCE_CHARS = 600;
/** Passages come best first, so a sentence of a later passage counts less. */
const RANK_WEIGHT = 0.1;
/** A sentence with less than this share of the best sentence's weight is left out. */
const MIN_SHARE = 0.5;
/** Of all passages together. */
const MAX_CANDIDATES = 2_000;

interface Candidate {
  readonly passage: number;
  readonly text: string;
  readonly words: ReadonlySet<string>;
}

/** Every sentence of the answer is a citation. */
export function extractAnswer(query: string, passages: readonly Passage[]): CitedAnswer {
  const candidates = passages
    .flatMap(({ text }, passage) => sentencesOf(text).map((sentence) => toCandidate(passage, sentence)))
    .slice(0, MAX_CANDIDATES);
  const [first] = candidates;
  if (first === undefined) return { answer: '', citations: [] };
  const weights = weightsOf(new Set(contentWords(query)), candidates);
  const scored = candidates.map((candidate, index) => ({ candidate, index, score: scoreOf(candidate, weights) }));
  const best = scored.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score || a.index - b.index);
  const chosen = best
    .slice(0, MAX_SENTENCES)
    .filter(({ score }) => score >= MIN_SHARE * best[0]!.score)
    .sort((a, b) => a.index - b.index)
    .map(({ candidate }) => candidate);
  const quoted = chosen.length > 0 ? chosen : [first];
  return {
    answer: quoted.map(({ text }) => text).join(' '),
    citations: quoted.map(({ passage, text }) => ({ passage, document: passages[passage]!.document, quote: text })),
  };
}

function toCandidate(passage: number, sentence: string): Candidate {
  const text = sentence.slice(0, MAX_SENTENCE_CHARS).trim();
  return { passage, text, words: new Set(contentWords(text)) };
}

/** A query word that occurs in few sentences has more weight. */
function weightsOf(query: ReadonlySet<string>, candidates: readonly Candidate[]): ReadonlyMap<string, number> {
  return new Map(
    [...query].map((word) => {
      const having = candidates.filter(({ words }) => words.has(word)).length;
      return [word, Math.log(1 + candidates.length / (1 + having))];
    }),
  );
}

function scoreOf({ passage, words }: Candidate, weights: ReadonlyMap<string, number>): number {
  let weight = 0;
  for (const [word, of] of weights) if (words.has(word)) weight += of;
  return weight / (1 + RANK_WEIGHT * passage);
}
