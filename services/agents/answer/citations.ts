// Checks that a quote occurs in the passage that it cites.

/** Returns `quote` with single spaces if the passage has these words in this order, else undefined. */
export function quoteIn(quote: string, passage: string): string | undefined {
  const words = singleSpaced(quote);
  return words !== '' && singleSpaced(passage).includes(words) ? words : undefined;
}

function singleSpaced(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

const LINK = /\b(?:[a-z][a-z0-9+.-]{1,20}:\/\/|www\.|mailto:)[^\s<>"'`)\]}]{1,2048}/gi;

/**
 * Returns true if `answer` has a link that is in none of the texts. A passage may try to make the model send readers to
 * another site.
 */
export function linksNotIn(answer: string, texts: readonly string[]): boolean {
  return [...answer.matchAll(LINK)].some(([link]) => {
    const bare = link.replace(/[.,;:!?]+$/, '');
    return !texts.some((text) => text.includes(bare));
  });
}
