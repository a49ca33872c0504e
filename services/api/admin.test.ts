import { describe, expect, it } from '@jest/globals';
import { adminGuard } from './admin.ts';

const from = (peer: string): { peer: string } => ({ peer });

describe('an administrative call', () => {
  it('is refused from elsewhere, saying where it would be taken', () => {
    const guard = adminGuard(() => 'loopback', '0.0.0.0:50051');
    expect(() => guard(from('127.0.0.1'))).not.toThrow();
    expect(() => guard(from('10.0.0.7'))).toThrow('from the router’s own machine only');
    expect(() => guard(from('unknown'))).toThrow('from the router’s own machine only');
  });

  it('is taken from whoever reaches a Unix socket', () => {
    expect(() => adminGuard(() => 'loopback', 'unix:/run/tandem/router.sock')(from('unknown'))).not.toThrow();
  });

  it('is taken from anywhere or nowhere where the setting says so', () => {
    expect(() => adminGuard(() => 'anywhere', '0.0.0.0:1')(from('10.0.0.7'))).not.toThrow();
    expect(() => adminGuard(() => 'nowhere', '0.0.0.0:1')(from('127.0.0.1'))).toThrow('takes no administrative calls');
  });
});
