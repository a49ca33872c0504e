import { describe, expect, it } from '@jest/globals';
import { Session } from './session.ts';
import { MAX_ROWS, MAX_WATCHED, SpikeWatch } from './spike-watch.ts';

const LOOK_MS = 10_000;

function open(step = 0): Session {
  const session = new Session('', 's', 1, 0);
  session.step = step;
  return session;
}

/** Answers one more step. */
function answer(watch: SpikeWatch, session: Session, counts: readonly number[], nowMs = 0): void {
  session.step += 1;
  watch.record(session, counts, nowMs);
}

describe('SpikeWatch', () => {
  it('keeps no spikes if no viewer is looking', () => {
    const watch = new SpikeWatch();
    const session = open();
    answer(watch, session, [1, 0]);
    expect(watch.look(session, 0)).toEqual({ neurons: 0, rows: [] });
  });

  it('keeps what each message adds to the counts', () => {
    const watch = new SpikeWatch();
    const session = open(4);
    watch.look(session, 0);
    answer(watch, session, [5, 5, 5]); // the spikes of each of these five messages are unknown
    answer(watch, session, [5, 6, 7]);
    answer(watch, session, [6, 6, 7]);
    expect(watch.look(session, 0)).toEqual({
      neurons: 3,
      rows: [
        { fromStep: 5, toStep: 6, neurons: [1, 2] },
        { fromStep: 6, toStep: 7, neurons: [0] },
      ],
    });
  });

  it('keeps the first message if the session starts while a viewer is looking', () => {
    const watch = new SpikeWatch();
    const session = open();
    watch.look(session, 0);
    answer(watch, session, [0, 2]);
    expect(watch.look(session, 0).rows).toEqual([{ fromStep: 0, toStep: 1, neurons: [1] }]);
  });

  it(`keeps the newest ${MAX_ROWS} messages`, () => {
    const watch = new SpikeWatch();
    const session = open();
    watch.look(session, 0);
    for (let n = 1; n <= MAX_ROWS + 3; n += 1) answer(watch, session, [n]);
    const { rows } = watch.look(session, 0);
    expect([rows.length, rows[0]?.fromStep]).toEqual([MAX_ROWS, 3]);
  });

  it('forgets the spikes if no viewer has looked for ten seconds', () => {
    const watch = new SpikeWatch();
    const session = open();
    watch.look(session, 0);
    answer(watch, session, [1], 1);
    answer(watch, session, [2], LOOK_MS + 1);
    expect(watch.look(session, LOOK_MS + 2).rows).toEqual([]);
  });

  it(`keeps the ${MAX_WATCHED} sessions that were looked at last`, () => {
    const watch = new SpikeWatch();
    const sessions = Array.from({ length: MAX_WATCHED + 1 }, () => open());
    for (const session of sessions) watch.look(session, 0);
    for (const session of sessions) answer(watch, session, [1]);
    const kept = sessions.toReversed().map((session) => watch.look(session, 0).rows.length);
    expect(kept).toEqual([...Array<number>(MAX_WATCHED).fill(1), 0]);
  });
});
