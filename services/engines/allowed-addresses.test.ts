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

describe('AllowedAddresses', () => {
  it.each([
    '127.0.0.1:50061',
    'localhost:50061',
    '10.1.2.3:1',
    '[::ffff:10.1.2.3]:1',
    '[fd12::1]:50061',
    'engine:50061',
    'a.engines.example:50061',
    'unix:/run/tandem/engine-1.sock',
  ])('allows %s', (address) => expect(allowed.has(address)).toBe(true));

  it.each([
    ['in another network', '10.2.0.1:22'],
    ['of the cloud’s metadata service', '169.254.169.254:80'],
    ['written as one number', '167903233:80'],
    ['written in octal', '0012.2.0.1:80'],
    ['in another IPv6 network', '[fe80::1]:1'],
    ['with another name', 'engines.example:50061'],
    ['whose name only ends like an allowed one', 'evilengines.example:1'],
    ['of another socket', 'unix:/var/run/docker.sock'],
    ['outside the folder after normalization', 'unix:/run/tandem/../docker.sock'],
  ])('refuses an address %s', (_what, address) => expect(allowed.has(address)).toBe(false));
});
