/** restore: brings back what was swept, from the trash. */
import type { Config } from '../../config/resolve.ts';
import { Failure, sentenceOf } from '../../domain/failure.ts';
import { bytesOf } from '../../domain/nameText.ts';
import { type OpenLedger, openLedger } from '../../ledger/openLedger.ts';
import { mayBeShort } from '../../ledger/runs/runId.ts';
import { restore, type Restored, type Wanted } from '../../restore/restore.ts';
import { runMeant } from '../../restore/runMeant.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { onEnd } from '../ending.ts';
import { plain } from '../output/plain.ts';
import { say } from '../output/say.ts';
import { targetOf, withPrivateRedis } from '../target.ts';
import { whoAsks } from '../whoAsks.ts';

interface Options {
  readonly run?: string;
  readonly heartbeats?: boolean;
  readonly dryRun?: boolean;
  readonly target?: string;
  readonly json?: boolean;
}

/** Prints what came back. Fails (`USAGE`) unless either an id or a run is given. */
export async function bringBack(id: string | undefined, options: Options, command: Command): Promise<void> {
  const written = wantedBy(id, options.run);
  const config = await withPrivateRedis(configOf(command));
  const target = targetOf(config, options.target);
  const stop = new AbortController();
  const unlisten = onEnd((signal) => stop.abort(new Failure('INTERRUPTED', `restoring was ended by ${signal}`)));
  const needsNoLedger = options.dryRun && !(written.run !== undefined && mayBeShort(written.run));
  const ledger = needsNoLedger ? null : await ledgerOf(config);
  try {
    const { heartbeats = false, dryRun = false } = options;
    const { run } = written;
    const wanted = run === undefined || ledger === null ? written : { run: await runMeant(ledger.ledger, target, run) };
    const done = await restore(target, wanted, {
      ...{ heartbeats, dryRun, signal: stop.signal, warn: say, by: whoAsks() },
      ledger: ledger?.ledger ?? null,
    });
    const { restored, existing, expired } = done;
    console.log(options.json ? JSON.stringify({ restored, existing, expired }) : textOf(done, { heartbeats, dryRun }));
  } finally {
    unlisten();
    ledger?.close();
  }
}

function wantedBy(id: string | undefined, run: string | undefined): Wanted {
  if (id !== undefined && run !== undefined) throw new Failure('USAGE', 'give either an id or --run, not both');
  if (run !== undefined && run !== '') return { run };
  if (id !== undefined && id !== '') return { coordinator: bytesOf(id) };
  throw new Failure('USAGE', 'say what is to come back: the id of a coordinator, or --run with that of a run');
}

/** Where it is out of reach, what follows from that is said. */
async function ledgerOf(config: Config): Promise<OpenLedger | null> {
  try {
    return await openLedger(config.queue, config.process.ledger);
  } catch (error) {
    say(`what comes back is not noted in the ledger: ${sentenceOf(error)}`);
    return null;
  }
}

/** So many names are listed; JSON has all. */
const MOST_NAMES = 20;

function keys(count: number): string {
  return count === 1 ? '1 key' : `${count} keys`;
}

function textOf(
  { restored, existing, expired }: Restored,
  { heartbeats, dryRun }: { readonly heartbeats: boolean; readonly dryRun: boolean },
): string {
  const without = heartbeats ? '' : ', no heartbeats (--heartbeats)';
  if (restored + existing.length + expired === 0) {
    return `0 keys restored${without}: nothing ${heartbeats ? '' : 'else '}of it lies in the trash`;
  }
  const lines = [`${keys(restored)} ${dryRun ? 'would come back' : 'restored'}${without}`];
  if (expired > 0) lines.push(`${keys(expired)} would have expired by now, and stay in the trash`);
  if (existing.length > 0) {
    lines.push(
      existing.length === 1
        ? '1 exists again, and was left as it is:'
        : `${existing.length} exist again, and were left as they are:`,
    );
    lines.push(...existing.slice(0, MOST_NAMES).map((name) => `  ${plain(name)}`));
    if (existing.length > MOST_NAMES) lines.push(`  and ${existing.length - MOST_NAMES} more (--json has all)`);
  }
  return lines.join('\n');
}
