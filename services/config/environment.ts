// Environment variables that begin with TANDEM_: settings, a few others, and unknown ones.
import { SETTINGS } from './catalogue.ts';
import { suggestVariable } from './suggest.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const OTHERS = [
  'TANDEM_CONFIG', // path of the settings file
  'TANDEM_ADDRESS', // the router's address for the command-line client
  'TANDEM_CLIENT_CA', // its TLS files, and its token
  'TANDEM_CLIENT_CERT',
  'TANDEM_CLIENT_KEY',
  'TANDEM_CLIENT_TOKEN',
  'TANDEM_TEST_SEED', // for the C++ engine's tests
  'TANDEM_REFERENCE_NIR', // for the C++ engine's tests
];

/** Settings of the engine. Sidecars inherit them from the router that starts them. */
const ENGINE = /^TANDEM_ENGINE_/;

/** Kubernetes sets these for a Service whose name begins with "tandem". */
const KUBERNETES = /^TANDEM_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const KUBERNETES_PORT = /^(tcp|udp|sctp):\/\//;

/** One line for each unknown TANDEM_… variable: a misspelt one must not silently leave a default in force. */
export function unknownVariables(env: Environment): string[] {
  const known = new Set([...OTHERS, ...SETTINGS.map(({ variable }) => variable)]);
  return Object.entries(env)
    .filter(([name, value]) => name.startsWith('TANDEM_') && !known.has(name) && !isForeign(name, value))
    .map(([name]) => {
      const meant = suggestVariable(name, OTHERS);
      const next = meant ? `did you mean ${meant}?` : 'unset it; "tandem config print" lists all settings';
      return `variable ${name}: unknown setting; ${next}`;
    });
}

function isForeign(name: string, value = ''): boolean {
  return ENGINE.test(name) || KUBERNETES.test(name) || (name.endsWith('_PORT') && KUBERNETES_PORT.test(value));
}
