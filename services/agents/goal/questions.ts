// What a goal in words leaves open.

interface Facts {
  readonly text: string;
  readonly questions: readonly string[];
  readonly hasDeadline: boolean;
  readonly hasCriterion: boolean;
}

/** Words that need a number to mean something. */
const VAGUE =
  /\b(fast(?:er)?|quick(?:ly|er)?|slow(?:er)?|cheap(?:er|ly)?|affordable|easy|easier|simple|simpler|better|good|great|nice|modern|clean|robust|reliable|secure|scalable|efficient|flexible|intuitive|user-friendly|high[- ]quality|large|big|small|many|few|several|some|soon|asap|often|regularly|improve|optimi[sz]e|enhance|reasonable|appropriate|sufficient|as needed)\b/gi;
const UNDECIDED =
  /\b(?:tbd|tba|tbc|to be (?:decided|defined|determined|confirmed)|not (?:yet )?(?:clear|decided|known)|maybe|perhaps|probably|possibly)\b/i;
const COST =
  /(?:[$€£]\s?\d|\d\s?(?:[$€£]|usd|eur|dollars?|euros?|pounds?)|\bbudget\b|\bcosts?\b|\bfree\b|person[- ](?:days?|hours?))/i;
const AUDIENCE =
  /\b(?:users?|customers?|clients?|visitors?|students?|teachers?|children|kids|employees|staff|team|colleagues|developers|engineers|readers|players|patients|people|everyone|public|members|guests|family|friends|myself|for (?:me|us|my|our|a|an|the))\b/i;
const MAX_VAGUE = 5;

export function openQuestions({ text, questions, hasDeadline, hasCriterion }: Facts): string[] {
  const vague = [...new Set([...text.matchAll(VAGUE)].map(([word]) => word.toLowerCase()))].slice(0, MAX_VAGUE);
  return [
    ...questions,
    ...(UNDECIDED.test(text) ? ['What is not decided yet, and who decides it?'] : []),
    ...vague.map((word) => `What does “${word}” mean here, as a number or an example?`),
    ...(hasDeadline ? [] : ['By when must it be reached?']),
    ...(COST.test(text) ? [] : ['What may it cost, in money or hours of work?']),
    ...(AUDIENCE.test(text) ? [] : ['Who will use it?']),
    ...(hasCriterion ? [] : ['How will it be checked that it is reached?']),
  ];
}
