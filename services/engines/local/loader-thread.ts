// A worker that reads and compiles models: slow, and at the mercy of whatever is in the files, so not where answers are
// computed. One request at a time, one LoadedModel each.
import { parentPort } from 'node:worker_threads';
import type { LoadRequest } from './messages.ts';
import { loadModel } from './model-repository.ts';
import { threadSetup } from './thread.ts';

const port = parentPort!;
threadSetup();

// Not before the main thread knows that it has started: from then on it can be ended, and the time of a file counts.
setImmediate(() => port.on('message', (request: LoadRequest) => port.postMessage(loadModel(request))));
