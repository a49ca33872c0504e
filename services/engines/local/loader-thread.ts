// A worker that reads and compiles models. This is slow and depends on untrusted files, so it does not run in the
// threads that compute answers. One request at a time; each returns one LoadedModel.
import { parentPort } from 'node:worker_threads';
import type { LoadRequest } from './messages.ts';
import { loadModel } from './model-repository.ts';
import { threadSetup } from './thread.ts';

const port = parentPort!;
threadSetup();

// Starts after the main thread knows that this thread runs: from then on it can be ended, and the time limit of a file
// applies.
setImmediate(() => port.on('message', (request: LoadRequest) => port.postMessage(loadModel(request))));
