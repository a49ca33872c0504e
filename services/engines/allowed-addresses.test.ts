import { describe, expect, it } from '@jest/globals';
import { AllowedAddresses } from './allowed-addresses.ts';

const allowed = new AllowedAddresses([
  '127.0.0.0/8',
  '10.1.0.0/16',
  'fd00::/8',
  'engine',
  '*.engines.example',
  'unix:/run/tandem/',
]);

describe('an address of an engine', () => {
  it.each([
    '127.0.0.1:50061',
    'localhost:50061',
    '10.1.2.3:1',
    '[::ffff:10.1.2.3]:1',
    '[fd12::1]:50061',
    'engine:50061',
    'a.engines.example:50061',
    'unix:/run/tandem/engine-1.sock',
  ])('%s is allowed', (address) => expect(allowed.has(address)).toBe(true));

  it.each([
    ['of another network', '10.2.0.1:22'],
    ['of the cloud’s metadata', '169.254.169.254:80'],
    ['that is a number', '167903233:80'],
    ['that is in octal', '0012.2.0.1:80'],
    ['of another IPv6 network', '[fe80::1]:1'],
    ['with another name', 'engines.example:50061'],
    ['whose name ends alike', 'evilengines.example:1'],
    ['of another socket', 'unix:/var/run/docker.sock'],
    ['that leads out of the folder', 'unix:/run/tandem/../docker.sock'],
  ])('%s is not', (_what, address) => expect(allowed.has(address)).toBe(false));
});
