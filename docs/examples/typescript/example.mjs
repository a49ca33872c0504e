// One Reason, one stream, one error. docs/clients.md says how to run it.
// @ts-check
import { digestHex, Tandem, TandemError } from 'tandem-snn';

const tandem = new Tandem(process.argv[2], { timeoutMs: 5_000 });

const answer = await tandem.reason({ text: 'a small furry animal' });
console.log(`answer: ${answer.label} ${digestHex(answer.stateDigest)}`);

// Answers come as they are ready, so they are told apart by the id of their request.
const texts = ['a small furry animal', 'a musical instrument with strings', 'to run very fast'];
const digests = new Map();
for await (const { requestId, result, error } of tandem.reasonStream(
  texts.map((text) => ({ requestId: text, text })),
)) {
  if (!result) throw error;
  digests.set(requestId, digestHex(result.stateDigest));
}
console.log(`stream: ${digests.size} answers, ${digests.get(texts.at(-1))} of the last`);

try {
  await tandem.reason({ encoding: [1, 2, 3] });
} catch (error) {
  if (!(error instanceof TandemError)) throw error;
  console.log(`error: ${error.reason}`);
}

tandem.close();
