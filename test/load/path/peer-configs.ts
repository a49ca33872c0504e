// The configurations of the peers: one thread each, no access log, persistent connections to the engines, and limits
// that no load here reaches.

const split = (address: string): [host: string, port: string] => {
  const at = address.lastIndexOf(':');
  return [address.slice(0, at), address.slice(at + 1)];
};

export function haproxyConfig(port: number, engines: readonly string[]): string {
  return `global
  nbthread 1
  tune.h2.max-concurrent-streams 1000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend grpc
  bind 127.0.0.1:${port} proto h2
  default_backend engines
backend engines
  balance roundrobin
  http-reuse always
${engines.map((address, at) => `  server engine-${at + 1} ${address} proto h2\n`).join('')}`;
}

export function nginxConfig(folder: string, port: number, engines: readonly string[]): string {
  return `daemon off;
master_process off;
worker_processes 1;
error_log stderr error;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000000;
  http2_max_concurrent_streams 1000;
  upstream engines {
${engines.map((address) => `    server ${address};\n`).join('')}    keepalive 256;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} http2 reuseport;
    location / { grpc_pass grpc://engines; grpc_socket_keepalive on; }
  }
}
`;
}

export function envoyConfig(port: number, engines: readonly string[]): unknown {
  const type = (name: string): { '@type': string } => ({ '@type': `type.googleapis.com/${name}` });
  const socket = (host: string, value: number): unknown => ({
    address: { socket_address: { address: host, port_value: value } },
  });
  const http = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
  const router = { name: 'router', typed_config: type('envoy.extensions.filters.http.router.v3.Router') };
  const route = { match: { prefix: '/' }, route: { cluster: 'engines', timeout: '60s' } };
  const manager = {
    ...type(http),
    stat_prefix: 'grpc',
    codec_type: 'HTTP2',
    http2_protocol_options: { max_concurrent_streams: 1_000 },
    generate_request_id: false,
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
    http_filters: [router],
  };
  const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    static_resources: {
      listeners: [
        {
          name: 'grpc',
          ...(socket('127.0.0.1', port) as object),
          filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
        },
      ],
      clusters: [
        {
          name: 'engines',
          type: 'STATIC',
          lb_policy: 'ROUND_ROBIN',
          circuit_breakers: { thresholds: [{ max_requests: 100_000, max_pending_requests: 100_000 }] },
          typed_extension_protocol_options: {
            [options]: { ...type(options), explicit_http_config: { http2_protocol_options: {} } },
          },
          load_assignment: {
            cluster_name: 'engines',
            endpoints: [
              {
                lb_endpoints: engines.map((address) => {
                  const [host, port] = split(address);
                  return { endpoint: socket(host, Number(port)) };
                }),
              },
            ],
          },
        },
      ],
    },
  };
}
