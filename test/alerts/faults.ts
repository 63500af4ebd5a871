/** faults: for each alert what goes wrong, what its page shows of it, and which of the page's points mends it. */
import { expect } from 'vitest';
import type { House } from './house.ts';

export interface Fault {
  readonly alert: string;
  /** What happened. */
  readonly what: string;
  /** Settings of all processes. */
  readonly env?: Readonly<Record<string, string>>;
  /** How much quicker than real time Prometheus judges. @default 60 */
  readonly factor?: number;
  /** Whether the target is cleaned as the user `app`, who may do all but this. */
  readonly lacks?: string;
  /** Whether all that is well before the fault, which then must not fire, includes a worker and a first success. @default true */
  readonly works?: boolean;
  /** Before the worker starts. */
  readonly before?: (house: House) => Promise<void>;
  readonly cause: (house: House) => Promise<void>;
  /** Fails unless it fired in time. */
  readonly fired?: (house: House) => Promise<void>;
  /** What the commands under "Look" print of it, together. */
  readonly shown: readonly RegExp[];
  /** The point under "Mend" that fits. */
  readonly point: string;
  /** What this point says in words, before its commands are typed. */
  readonly byHand?: (house: House) => Promise<void>;
  /** Fails unless it is mended, beyond the alert's end. */
  readonly mended?: (house: House) => Promise<void>;
}

async function left(house: House): Promise<number> {
  return (await house.target.redis.keys('blocking:signal:*')).length;
}
async function endWorker(house: House): Promise<void> {
  expect((await house.worker?.kill('SIGTERM'))?.code).toBe(0);
}
async function manyActive(house: House): Promise<void> {
  await house.write('c', 60, 5);
}
async function twoThirdsFellSilent(house: House): Promise<void> {
  await house.write('c', 40, 700);
}
export const FAULTS: readonly Fault[] = [
  {
    alert: 'StalesweepHeld',
    what: 'two thirds fell silent for good',
    before: manyActive,
    cause: twoThirdsFellSilent,
    shown: [/held/i, /40/],
    point: 'They are gone',
    mended: async (house) => expect(await left(house)).toBe(20),
  },
  {
    alert: 'StalesweepHeld',
    what: 'two thirds did not reach Redis for a while',
    before: manyActive,
    cause: twoThirdsFellSilent,
    shown: [/held/i, /40/],
    point: 'They live',
    byHand: manyActive,
    mended: async (house) => expect(await left(house)).toBe(60),
  },
  {
    alert: 'StalesweepNeverSucceeded',
    what: "the target's user lacks a right",
    lacks: '-scan',
    works: false,
    cause: async (house) => await house.openWorker(),
    shown: [
      /FAIL +default: permissions: the user may not run SCAN\n +-> grant it \+scan/,
      /may not run SCAN; grant it \+scan/,
    ],
    point: '`doctor` says what the user may not',
  },
  {
    alert: 'StalesweepNeverSucceeded',
    what: 'nobody works on a new target',
    works: false,
    cause: async () => {},
    shown: [/nobody works on the queue/, /completed/],
    point: 'The dry run works',
  },
  {
    alert: 'StalesweepNoSuccess',
    what: 'the only worker was killed',
    cause: async (house) => void (await house.worker?.kill('SIGKILL')),
    shown: [/nobody works on the queue/, /completed/],
    point: 'Nobody works on the queue',
  },
  {
    alert: 'StalesweepNoWorker',
    what: 'the only worker was ended',
    cause: endWorker,
    shown: [/nobody works on the queue: runs wait/],
    point: 'None runs',
  },
  {
    alert: 'StalesweepNoWorker',
    what: 'the only worker was killed',
    cause: async (house) => void (await house.worker?.kill('SIGKILL')),
    shown: [/nobody works on the queue: runs wait/],
    point: 'None runs',
  },
  {
    alert: 'StalesweepNotScraped',
    what: 'the dashboard was killed',
    cause: async (house) => void (await house.dashboard?.kill('SIGKILL')),
    shown: [/target "default"/, /^000$/m],
    point: 'The connection is refused',
  },
  {
    alert: 'StalesweepNotScraped',
    what: "Prometheus' password is another one",
    cause: async (house) => await house.prometheus.knowsPassword(false),
    shown: [/target "default"/, /^200$/m],
    point: '401',
    byHand: async (house) => await house.prometheus.knowsPassword(true),
  },
  {
    alert: 'StalesweepQueuePaused',
    what: 'somebody paused it in the dashboard',
    cause: async (house) => await house.send('PUT', '/queues/api/queues/cleanup/pause'),
    shown: [/the queue "cleanup" is paused/],
    point: 'The reason is over',
  },
  {
    alert: 'StalesweepQueuePaused',
    what: 'somebody paused it in the dashboard, since nobody was to go',
    before: async (house) => await house.write('late', 3, 700),
    cause: async (house) => {
      await house.send('PUT', '/queues/api/queues/cleanup/pause');
      await house.write('later', 3, 700);
    },
    shown: [/the queue "cleanup" is paused/],
    point: 'It should stay so',
    byHand: async (house) => {
      await endWorker(house);
      await house.send('PUT', '/queues/api/queues/cleanup/resume');
    },
    mended: async (house) => {
      await house.succeedsAgain();
      expect(await left(house)).toBe(3);
    },
  },
  {
    alert: 'StalesweepRunFailed',
    what: "the target's user lost a right",
    cause: async (house) => {
      await house.write('late', 3, 5_000);
      await house.target.redis.call('ACL', 'SETUSER', 'app', '-unlink');
    },
    lacks: '-flushall',
    shown: [/UNLINK/, /grant it \+unlink/],
    point: 'The user may not',
    mended: async (house) => await expect.poll(async () => await left(house)).toBe(0),
  },
  {
    alert: 'StalesweepRunFailed',
    what: 'the target took no writes, and no reads',
    cause: async (house) => await house.stopTarget(),
    shown: [/connection refused/],
    point: "It can't be reached",
    byHand: async (house) => await house.startTarget(),
  },
  {
    alert: 'StalesweepRunRefused',
    what: 'more are stale than a guard allows',
    env: { STALESWEEP_MAX_STALE: '5' },
    cause: async (house) => await house.write('late', 12, 5_000),
    shown: [/refused/, /late11/, /12/],
    point: 'They are gone',
    mended: async (house) => expect(await left(house)).toBe(0),
  },
  {
    alert: 'StalesweepRunRefused',
    what: 'a guard is too tight',
    env: { STALESWEEP_MAX_STALE: '5' },
    cause: async (house) => await house.write('late', 12, 5_000),
    shown: [/refused/, /late11/, /12/],
    point: 'The guard is too tight for this system',
    byHand: endWorker,
    mended: async (house) => await expect.poll(async () => await left(house)).toBe(0),
  },
  {
    alert: 'StalesweepRunSlow',
    what: 'a run rests for much longer than it works',
    cause: async (house) => {
      await house.write('c', 40_000, 5);
      await endWorker(house);
      await house.openWorker({ STALESWEEP_NICE: '100' });
    },
    shown: [/[1-9]\d\.\ds/, /"slowestCallMs":/],
    point: 'Calls are fast and many',
    byHand: endWorker,
  },
  {
    alert: 'StalesweepSilenceRising',
    what: 'a third of the living does not beat any more',
    // The threshold and the interval of a real system, so much quicker as its alerts.
    factor: 6,
    env: { STALESWEEP_STALE_AFTER: '100s', STALESWEEP_EVERY: '50s' },
    before: async (house) => {
      await manyActive(house);
      house.beat('c', 0, 60);
    },
    cause: async (house) => house.beat('c', 20, 60),
    // In time: nobody has gone yet.
    fired: async (house) => expect(await left(house)).toBe(60),
    shown: [/20 of them at risk/],
    point: 'They live and are slow',
    byHand: async (house) => {
      await endWorker(house);
      house.beat('c', 0, 60);
    },
    mended: async (house) => expect(await left(house)).toBe(60),
  },
  {
    alert: 'StalesweepUnreadableHeartbeats',
    what: 'a writer writes seconds',
    before: manyActive,
    cause: async (house) => await house.write('c', 2, 5, 's'),
    shown: [/"why":"wrong-unit","count":2/, /not seconds/],
    point: 'The writer can be mended',
    byHand: manyActive,
  },
  {
    alert: 'StalesweepUnreadableHeartbeats',
    what: 'a writer that is gone wrote seconds',
    before: manyActive,
    cause: async (house) => await house.write('c', 2, 5, 's'),
    shown: [/"why":"wrong-unit","count":2/, /not seconds/],
    point: 'Nobody writes them any more',
    mended: async (house) => expect(await left(house)).toBe(60),
  },
  {
    alert: 'StalesweepUnusualRemoval',
    what: 'many went at once',
    // A day of quiet has to pass first: a minute and a half.
    factor: 960,
    before: async (house) => {
      await house.write('c', 60, 5);
      await house.write('late', 3, 5_000);
    },
    cause: async (house) => {
      await house.daysPass();
      await house.write('old', 2_000, 5_000);
    },
    shown: [/2000/],
    point: 'A deployment or an outage',
  },
];
