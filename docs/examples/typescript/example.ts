// One Reason, one stream, one error. See README.md beside this folder.
import { readFileSync } from 'node:fs';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const options = { includeDirs: ['proto'], longs: String, keepCase: true };
const load = (file: string): any => grpc.loadPackageDefinition(loadSync(file, options));
const { tandem } = load('tandem/v1/reasoning.proto');

/** 768 numbers of the shipped samples, little-endian binary32. */
function sample(name: string): Buffer {
  const { samples } = JSON.parse(readFileSync('deploy/models/supersense/samples.json', 'utf8'));
  const found = samples.find((each: { name: string }) => each.name === name);
  return Buffer.from(found.encoding_f32_base64, 'base64');
}

const request = (name: string): object => ({
  request_id: name,
  tensor: { shape: [768], dtype: 'FP32', data: sample(name) },
});

const address = process.argv[2] ?? '127.0.0.1:50051';
const client = new tandem.v1.ReasoningService(address, grpc.credentials.createInsecure());
const reason = (message: object): Promise<any> =>
  new Promise((resolve, reject) => {
    const deadline = Date.now() + 2_000;
    client.Reason(message, { deadline }, (error: unknown, answer: unknown) =>
      error ? reject(error) : resolve(answer),
    );
  });

const answer = await reason(request('dog'));
console.log(`reason: ${answer.label} ${BigInt(answer.state_digest).toString(16).padStart(16, '0')}`);

const names = ['dog', 'bread', 'piano'];
const labels = new Map<string, string>();
const stream = client.ReasonStream({ deadline: Date.now() + 5_000 });
for (const name of names) stream.write({ request: request(name) });
stream.end();
for await (const { request_id, result } of stream) labels.set(request_id, result.label);
console.log('stream:', names.map((name) => `${name}=${labels.get(name)}`).join(' '));

try {
  await reason({ encoding: [1, 2, 3] });
} catch (error: any) {
  // google.rpc.Status, with an ErrorInfo in it: a text that is printed in each message, and a reason for programs.
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const reasonText = /INPUT_[A-Z]+/.exec(bytes.toString('latin1'))?.[0];
  console.log(`error: ${reasonText}: ${error.details}`);
}
client.close();
