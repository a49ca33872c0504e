import { describe, expect, it } from '@jest/globals';
import { FallbackReason, QueryResponse, Source } from '../generated/tandem/v1/agents.ts';
import { queryText } from './query.ts';

const response = QueryResponse.fromPartial({
  answer: 'Dogs bark.',
  citations: [{ passage: 0, document: 'pets.md', quote: 'Dogs bark.' }],
  passages: [{ document: 'pets.md', text: `Dogs bark.\n${'And so on. '.repeat(50)}`, score: 0.03252 }],
  source: Source.SOURCE_FALLBACK,
  fallbackReason: FallbackReason.FALLBACK_REASON_NO_PROVIDER,
  fallbackDetail: 'none is set',
});

describe('queryText', () => {
  it('has the answer, its citations, the passages with scores, and its source', () => {
    const lines = queryText(response).split('\n');
    expect(lines.slice(0, 3)).toEqual(['Dogs bark.', '  [1] pets.md: “Dogs bark.”', '']);
    expect(lines[3]).toMatch(/^1\. pets\.md \(score 0\.0325\): Dogs bark\. And so on\. .*…$/);
    expect(lines.at(-1)).toBe('answered by rules, NO_PROVIDER: none is set');
  });

  it('reports that no passage answers', () => {
    expect(queryText(QueryResponse.fromPartial({}))).toMatch(/^no passage answers this/);
  });

  it('removes control characters of documents', () => {
    const passages = [{ document: 'a\u001b[2J.md', text: '\u001b]0;evil\u0007', score: 1 }];
    expect(queryText(QueryResponse.fromPartial({ passages }))).not.toMatch(/\p{Cc}(?<!\n)/u);
  });
});
