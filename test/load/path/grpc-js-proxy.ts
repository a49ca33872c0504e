// A minimal proxy with grpc-js: it passes the bytes of Infer on to the engines in turn.
// `grpc-js-proxy.ts PORT ENGINE…`
import * as grpc from '@grpc/grpc-js';

const [port, ...engines] = process.argv.slice(2);
const asIs = (bytes: Buffer): Buffer => bytes;
const Infer: grpc.MethodDefinition<Buffer, Buffer> = {
  path: '/tandem.engine.v1.EngineService/Infer',
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};
const clients = engines.map((address) => new grpc.Client(address, grpc.credentials.createInsecure()));
let turn = 0;

const server = new grpc.Server();
const infer: grpc.handleUnaryCall<Buffer, Buffer> = (call, callback) => {
  const client = clients[turn++ % clients.length]!;
  client.makeUnaryRequest(Infer.path, asIs, asIs, call.request, (error, answer) => callback(error, answer));
};
server.addService({ Infer }, { Infer: infer as grpc.UntypedHandleCall });
server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});
