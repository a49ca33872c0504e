// A worker that reads and compiles models: slow, and at the mercy of whatever is in the files, so not where answers are
// computed. One request at a time, one LoadedModel each.
import { parentPort } from 'node:worker_threads';
import type { LoadRequest } from './messages.ts';
import { loadModel } from './model-repository.ts';

const port = parentPort!;

port.on('message', (request: LoadRequest) => port.postMessage(loadModel(request)));
