// A thread that parses the JSON of inference requests, one per message.
import { parentPort } from 'node:worker_threads';
import { RouterError } from '../../core/errors.ts';
import { threadSetup } from '../../engines/local/thread.ts';
import { ModelInferRequest } from '../../generated/inference/grpc_service.ts';
import { parseInfer, splitBody } from './http-json.ts';
import { packed } from './input.ts';
import type { ThreadParsed, UnparsedInfer } from './json-parser.ts';

const port = parentPort!;
threadSetup();

port.on('message', (unparsed: UnparsedInfer) => {
  const parsed = parse(unparsed);
  port.postMessage(parsed, 'request' in parsed ? [parsed.request.buffer] : []);
});

function parse({ body, headerBytes, name, version }: UnparsedInfer): ThreadParsed {
  try {
    const { request, binaryOutputs } = parseInfer(splitBody(body, headerBytes), name, version);
    // A copy, since the encoder's buffer may be shared, and this one is moved to the main thread.
    return { request: new Uint8Array(ModelInferRequest.encode(packed(request)).finish()), binaryOutputs };
  } catch (thrown) {
    const { message, violation } = RouterError.from(thrown);
    return { field: violation?.field ?? 'body', message };
  }
}
