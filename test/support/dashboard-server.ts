// A dashboard server at a port that the system chooses, and requests to it.
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { HttpServer, type HttpServerOptions } from '../../services/dashboard/http-server.ts';
import type { DashboardSources } from '../../services/dashboard/sources.ts';
import { fakeSources } from '../fakes/fake-dashboard.ts';

export function dashboardServer(
  sources: Partial<DashboardSources> = {},
  over: Partial<HttpServerOptions> = {},
): HttpServer {
  return new HttpServer(fakeSources(sources), {
    ...{ listen: '127.0.0.1:0', maxBodyBytes: 1_000, timeoutMs: 1_000, onInternalError: () => undefined },
    ...over,
  });
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** The path is sent unchanged, including dots; fetch() would normalize it. */
export function sendHttp(
  address: string,
  path: string,
  method = 'GET',
  headers: Record<string, string> = {},
  body = '',
): Promise<HttpResponse> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host, port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Sends any bytes. Resolves with all bytes of the answer. */
export function sendRaw(address: string, bytes: string): Promise<string> {
  const [host = '', port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect(Number(port), host, () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('error', () => resolve(text));
    socket.on('close', () => resolve(text));
  });
}
