// The link between the router and one engine of three is bad. The network is a model in user space (TcpConditions), since
// few kernels of containers have `tc netem`.
import type { TcpConditions } from '../fakes/tcp-conditions.ts';
import { SOON_ALERTS, judgeLink, playFault } from './fault-play.ts';
import { untilConnected } from './judging.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';

const IDS = ['engine-1', 'engine-2', 'engine-3'];
const CORRUPT_SHARE = 0.01;

interface BadLink {
  readonly address: string;
  begin(): void;
  end(): void;
}

type Connect = (stage: Stage, engine: { readonly address: string }) => Promise<BadLink>;

function link(name: string, fault: string, connect: Connect): Scenario {
  return {
    name: `link-${name}`,
    fault: `the link to one engine of three: ${fault}`,
    settings: SOON_ALERTS,
    bar: '0 failed; p99 ≤ 2 × healthy from 2 s on',
    async run(stage) {
      const truths = await stage.truths();
      const [behind, ...others] = await stage.sidecars(3);
      const { address, begin, end } = await connect(stage, behind!);
      const router = await stage.router(this.settings, [{ address }, ...others]);
      await untilConnected(router.operator, IDS);
      return judgeLink(await playFault(stage, { router, id: 'engine-1', truths, begin, end }));
    },
  };
}

function under(conditions: TcpConditions): Connect {
  return async (stage, engine) => {
    const slow = await stage.link(engine);
    return {
      address: slow.address,
      begin: () => (slow.conditions = conditions),
      end: () => (slow.conditions = undefined),
    };
  };
}

/** Bits that flip without detection by TCP's checksum. If it detects them, they are a loss. */
const corrupt: Connect = async (stage, engine) => {
  const shares = { seed: 1, toEngine: 0, toRouter: 0 };
  const { address } = await stage.corruptingLink(engine, shares);
  return {
    address,
    begin: () => Object.assign(shares, { toEngine: CORRUPT_SHARE, toRouter: CORRUPT_SHARE }),
    end: () => Object.assign(shares, { toEngine: 0, toRouter: 0 }),
  };
};

export const linkScenarios: readonly Scenario[] = [
  link('loss-1', '1 % of the segments lost', under({ lossShare: 0.01 })),
  link('loss-10', '10 % lost', under({ lossShare: 0.1 })),
  link('loss-50', '50 % lost', under({ lossShare: 0.5 })),
  link('delay', '200 ms each way', under({ delayMs: 200 })),
  link('rate-10', '10 kbit/s', under({ bitsPerS: 10_000 })),
  link('rate-200', '200 kbit/s', under({ bitsPerS: 200_000 })),
  link('duplicate', '50 % of the segments sent twice, at 5 Mbit/s', under({ duplicateShare: 0.5, bitsPerS: 5e6 })),
  link('reorder', '25 % out of order', under({ reorderShare: 0.25 })),
  link('corrupt', 'bits flip in 1 % of the chunks, not detected by TCP', corrupt),
];
