// Verbs that tasks begin with, grouped by meaning.

export type VerbKind = 'learn' | 'decide' | 'make' | 'check' | 'release' | 'repair';

const VERBS: Readonly<Record<VerbKind, string>> = {
  learn: `analyse analyze ask assess audit collect compare explore find gather identify interview investigate learn list look
    map measure observe profile read research study survey understand watch`,
  decide: `agree choose clarify decide define estimate outline pick plan prioritise prioritize schedule select settle sketch
    specify`,
  make: `add adapt adjust archive arrange assemble assign automate back bake boil book build bump bundle buy cache call change clean
    clone code combine compile compute configure connect convert cook copy create cut delete design develop digitise digitize
    document download draft draw edit embed enable encrypt export extend extract fill filter format generate get give go
    group hire implement import improve index increase install integrate introduce invite keep label lay load localise
    localize log make merge migrate mix model move name optimise optimize order organise organize pack package paint parse
    pay place port pour prepare print process produce put query raise record reduce refactor register remove rename rent
    replace reserve restore rewrite save scan separate set setup simplify sort split start stop store structure support swap
    switch take teach tidy train transfer transform translate update upgrade upload use visualise visualize wash wire write`,
  check: `benchmark check confirm demonstrate ensure evaluate inspect monitor prove rehearse review test track try validate
    verify`,
  release: `advertise announce deliver deploy distribute hand launch mail market notify open post present publish release roll
    run sell send serve share ship show submit tell`,
  repair: `correct debug fix handle patch repair resolve solve`,
};

const KINDS: ReadonlyMap<string, VerbKind> = new Map(
  (Object.keys(VERBS) as VerbKind[]).flatMap((kind) => VERBS[kind].split(/\s+/).map((verb) => [verb, kind] as const)),
);

const GERUNDS: ReadonlyMap<string, string> = new Map(
  [...KINDS.keys()].flatMap((verb) => gerundsOf(verb).map((gerund) => [gerund, verb] as const)),
);

/** Undefined: `word` is not in the list of verbs. */
export function kindOfVerb(word: string): VerbKind | undefined {
  return KINDS.get(word.toLowerCase());
}

/** "testing" → "test". Undefined: not the gerund of a listed verb. */
export function verbOfGerund(word: string): string | undefined {
  return GERUNDS.get(word.toLowerCase());
}

/** "make" → "making", "plan" → "planning", "fix" → "fixing". */
function gerundsOf(verb: string): string[] {
  const isShort = /^[^aeiou]*[aeiou][bdgklmnprt]$/.test(verb);
  if (/[^eo]e$/.test(verb)) return [`${verb.slice(0, -1)}ing`];
  return isShort ? [`${verb}${verb.at(-1)!}ing`, `${verb}ing`] : [`${verb}ing`];
}

const ADVERBS = /^(?:please|also|carefully|quickly|again|just|finally|always|manually|automatically)\s+/i;
const LEAD_IN =
  /^(?:(?:i|we|you|they|it|the team|our team)(?:'d| would)? (?:(?:also )?(?:want|need|have|like|plan|intend|hope|ought|aim)s? to|should|must|shall|will|can)|(?:the|my|our|your) (?:goal|task|aim|objective|idea|plan|job|mission) is to|help (?:me|us)(?: to)?|let's|let us|let me|in order to|make sure to|be sure to|there is a need to|to)\s+/i;

/** The clause as an imperative: "We need to build a shop" → "build a shop". */
export function imperativeOf(clause: string): string {
  let text = clause.trim();
  for (let round = 0; round < 3; round += 1) text = text.replace(ADVERBS, '').replace(LEAD_IN, '');
  return text;
}

/** The verb at the start of the clause. Undefined: the clause does not start with a listed verb. */
export function leadingVerb(clause: string): string | undefined {
  const word = /^[a-z]+(?=\b(?!['’]))/i.exec(imperativeOf(clause))?.[0].toLowerCase();
  return word !== undefined && KINDS.has(word) ? word : undefined;
}
