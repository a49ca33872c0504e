// Whether what is said to stand in a passage stands in it.

/** `quote` with single spaces, where the passage has these words in this order; undefined: it has not. */
export function quoteIn(quote: string, passage: string): string | undefined {
  const words = singleSpaced(quote);
  return words !== '' && singleSpaced(passage).includes(words) ? words : undefined;
}

function singleSpaced(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

const LINK = /\b(?:[a-z][a-z0-9+.-]{1,20}:\/\/|www\.|mailto:)[^\s<>"'`)\]}]{1,2048}/gi;

/** Whether `answer` has a link that is in none of the texts: a passage may try to have the model send readers elsewhere. */
export function linksNotIn(answer: string, texts: readonly string[]): boolean {
  return [...answer.matchAll(LINK)].some(([link]) => {
    const bare = link.replace(/[.,;:!?]+$/, '');
    return !texts.some((text) => text.includes(bare));
  });
}
