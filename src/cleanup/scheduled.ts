/** scheduled: a run from its opening on, which looks no further than it must.
 *      TIME ──▶ nobody can be stale yet ──────────────────────────▶ report `none`
 *           ──▶ a few could be: look at these ─▶ nobody is ───────▶ report `due`
 *           ──▶ anybody could be, or one of those is ─▶ full pass ─▶ report `full`
 *  Owns      what a horizon holds for, and when a run may go by it: a scheduled one that is not the rest of another.
 *  Leaves    what follows from a horizon to domain/horizon, keeping it to `Horizons`, the full pass to run.
 *  Promises  nothing is removed without a full pass, which judges everybody anew.
 */
import { createHash } from 'node:crypto';
import { fingerprintOf } from '../config/fingerprint.ts';
import { type Horizon, type Horizons, type Look, lookedAgain, lookFor, movedOn } from '../domain/horizon.ts';
import type { Report } from '../domain/report.ts';
import type { NodeWishes } from '../redis/target/node.ts';
import type { Contact } from '../redis/target/contact.ts';
import { lookAtDue } from './scan/due.ts';
import { reportOf, requestFor } from './tally/report.ts';
import type { HorizonToKeep } from './horizon.ts';
import { type RunOptions, type RunRequest, runCleanup } from './run.ts';
import { Tally } from './tally/tally.ts';

export interface ScheduledOptions extends Pick<RunOptions, 'observer'> {
  readonly wishes: NodeWishes;
  /** `null`: nobody keeps any, and every run makes a full pass. */
  readonly horizons: Horizons | null;
  /** In how many seconds the next scheduled run comes; asked only where it matters. */
  readonly gapSeconds: () => number;
  /** Told how far a scheduled run has to look. */
  readonly onLook?: (look: Look) => void;
  /** What a full pass needs besides; asked once it is known that there is one. */
  readonly full: () => Promise<RunOptions>;
}

/** What a horizon holds for; `null` where that can't be told, since the server does not say who it is. */
function basisOf({ server, settings }: Contact, { staleAfterSeconds }: RunRequest): string | null {
  if (server === null) return null;
  const { schema, orphans, protect, restartGrace } = settings;
  const lists = [orphans, protect].map((list) => [...list].sort());
  const what = [server, fingerprintOf(settings), schema.ids, schema.ownPrefixes, staleAfterSeconds, restartGrace];
  return createHash('sha256')
    .update(JSON.stringify([...what, lists]))
    .digest('hex');
}

/** Cleans one target once. Fails as `runCleanup` does, and as finding out about the target does. */
export async function runFrom(contact: Contact, asked: RunRequest, options: ScheduledOptions): Promise<Report> {
  const { settings } = contact;
  const { horizons } = options;
  const request = requestFor(settings, asked);
  const wishes = { ...options.wishes, dryRun: request.dryRun };
  const basis = settings.horizon ? basisOf(contact, request) : null;
  if (basis === null || horizons === null) {
    return await runCleanup(await contact.examine(wishes), request, await options.full());
  }
  const before = await horizons.standing();
  const horizon = {
    basis,
    before,
    counts: contact.counts,
    keep: async (left: Horizon | null) => await horizons.keep(left),
  };
  // What an earlier attempt has begun, a full pass ends.
  const mayGoBy = request.trigger === 'schedule' && request.carried === null;
  const report = mayGoBy ? await goBy(contact, request, horizon, options) : null;
  if (report !== null) return report;
  return await runCleanup(await contact.examine(wishes), request, { ...(await options.full()), horizon });
}

/** The report of a run that need not look at everybody; `null` when it must. */
async function goBy(
  contact: Contact,
  request: RunRequest,
  { basis, before: horizon, keep }: HorizonToKeep,
  { wishes, horizons, gapSeconds, observer = {}, onLook }: ScheduledOptions,
): Promise<Report | null> {
  const { settings } = contact;
  if (horizon === null || horizons === null) return null;
  const nowSeconds = await contact.seconds(wishes.signal);
  const possible = lookFor(horizon, {
    basis,
    nowSeconds,
    ...contact.counts,
    staleAfterSeconds: request.staleAfterSeconds,
    gapSeconds,
    sweepsOrphans: settings.schema.orphanFamilies.size > 0,
    outage: await horizons.outageSince(horizon.beganSeconds * 1000),
  });
  const isSettled = possible.pass === 'full' || request.dryRun || (await contact.isSettled(wishes.signal));
  const look: Look = isSettled ? possible : { pass: 'full', why: 'a run has left something to be put right' };
  onLook?.(look);
  if (look.pass === 'full') return null;
  const tally = new Tally(settings.schema.families.length);
  if (look.pass === 'due') {
    observer.phase?.('mark', `looking at ${look.due.length} who could be stale by now`);
    const still = await lookAtDue(contact, look.due, { ...request, nowSeconds, tally }, wishes.signal);
    if (still === null) return null;
    await keep(movedOn(horizon, look.due, still, nowSeconds));
  } else await keep(lookedAgain(horizon, nowSeconds));
  observer.phase?.(
    'report',
    look.pass === 'due' ? 'nobody is stale' : 'nobody can be stale yet, so nobody was looked at',
  );
  const { stopwatch, strategy } = contact;
  const target = { settings, stopwatch, strategy };
  const { dryRun } = request;
  const removed = { hold: { told: {} }, kept: { count: 0 }, memory: null, trash: null };
  return reportOf({ target, dryRun, tally, ...removed }, request, { outcome: 'completed', pass: look.pass });
}
