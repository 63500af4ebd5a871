/** troubles: what goes wrong while coordinators lapse, one at a time; each resolves once all is well again. */
import type { Fleet } from './fleet.ts';
import { type Lapsing, TIMES } from './lapsing.ts';
import type { Place } from './place.ts';
import type { Random } from './random.ts';
import type { Server } from './server.ts';
import type { Way } from './way.ts';

export interface Trouble {
  readonly fleet: Fleet;
  readonly target: Place;
  readonly queue: Server;
  /** Those of the workers, to the target and to the queue. */
  readonly ways: readonly [toTarget: Way, toQueue: Way];
  readonly random: Random;
  readonly lapsing: Lapsing;
}

/** Longer than a run's lock lasts, and than a call is waited for. */
const FREEZE_MS = 18_000;
/** Longer than anybody's silence may last. */
const AWAY_MS = (TIMES.staleAfter + 5) * 1000;

/** SIGKILL for a worker, and another one in its place. */
export async function loseWorker({ fleet, lapsing }: Trouble): Promise<void> {
  const heir = fleet.join(1);
  await fleet.kill();
  lapsing.trouble();
  await heir;
}

/** A worker stands still in the midst of whatever it does, until others have taken its run over, and then goes on with it. */
export async function freezeWorker({ fleet, lapsing, random }: Trouble): Promise<void> {
  const one = random.pick(fleet.members);
  // Its end, which this waits for, is another's to see.
  void one?.kill('SIGSTOP');
  lapsing.trouble();
  await random.moment(FREEZE_MS / 2, FREEZE_MS);
  void one?.kill('SIGCONT');
  lapsing.trouble();
}

export async function restartTarget({ target, random, lapsing }: Trouble): Promise<void> {
  const away = Date.now();
  await target.restart(async () => await random.moment(0, 1_500));
  lapsing.wasAway(away, Date.now(), 'anew');
}

export async function restartQueue({ queue, random, lapsing }: Trouble): Promise<void> {
  await queue.shutDown();
  await random.moment(0, 1_500);
  await queue.comeBack();
  lapsing.trouble();
}

/** Nobody can beat for longer than the threshold. */
export async function freezeTarget({ target, random, lapsing }: Trouble): Promise<void> {
  const away = Date.now();
  await target.freeze(async () => await random.moment(AWAY_MS, AWAY_MS + 3_000));
  lapsing.wasAway(away, Date.now(), 'on');
}

/** The replica takes over, with all that was written. */
export async function failOver({ target, lapsing }: Trouble): Promise<void> {
  await target.prepare();
  const away = Date.now();
  await target.failOver();
  lapsing.wasAway(away, Date.now(), 'on');
}

/** The ways of the workers are cut, held up, lose what is sent, and forget who is connected. */
export async function losePackets({ ways, random, lapsing }: Trouble): Promise<void> {
  for (const way of ways) {
    const weather = random.pick(['cut', 'stall', 'lose', 'forget'] as const) ?? 'cut';
    way[weather]();
    lapsing.trouble();
    await random.moment(500, 4_000);
    way.clear();
    lapsing.trouble();
  }
}
