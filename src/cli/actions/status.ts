/** status: prints what the overview shows, once or again and again. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../../config/resolve.ts';
import { Links } from '../../dashboard/readiness.ts';
import { rowOf } from '../../health/history.ts';
import { Ledger } from '../../ledger/ledger.ts';
import { unreachableAmong } from '../../status/reach.ts';
import { allTroubles, type Status, StatusReader, type TargetStatus } from '../../status/status.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { onEnd } from '../ending.ts';
import { withQueues } from '../queue.ts';
import { renderStatus } from '../output/renderStatus.ts';
import { targetOf, withPrivateRedis } from '../target.ts';

interface Options {
  readonly target?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

const EVERY_MS = 2_000;
/** Up to the top left corner, and all below it away. */
const CLEAR = '\u001b[H\u001b[J';

/** Fails (`UNREACHABLE`) where the queue is out of reach; `--watch` ends without failing once it is interrupted. */
export async function showStatus({ target, watch, json }: Options, command: Command): Promise<void> {
  const all = await withPrivateRedis(configOf(command));
  const config = target === undefined ? all : only(all, target);
  const stop = new AbortController();
  const unlisten = watch ? onEnd(() => stop.abort()) : () => {};
  const links = new Links();
  try {
    await withQueues(config, async (queues) => {
      const ledger = new Ledger(queues.connection, queues.prefix, config.process.ledger);
      const reader = new StatusReader({ config, queues, ledger });
      const read = async () =>
        await reader.read(await unreachableAmong(config.targets, async (one) => await links.ask(one)));
      print(await read(), json === true, false);
      while (watch && !stop.signal.aborted) {
        await pause(EVERY_MS, undefined, { signal: stop.signal }).catch(() => {});
        if (!stop.signal.aborted) print(await read().catch((error) => reader.lastKnown(error)), json === true, true);
      }
    });
  } finally {
    unlisten();
    await links.close();
  }
}

function only(config: Config, name: string): Config {
  const target = targetOf(config, name);
  return { ...config, targets: new Map([[target.name, target]]) };
}

function print(status: Status, json: boolean, again: boolean): void {
  if (json) {
    const troubles = allTroubles(status).map(({ target, word, sentence }) => ({ target, word, sentence }));
    console.log(JSON.stringify({ targets: status.targets.map(toJson), troubles }));
    return;
  }
  const clear = again && process.stdout.isTTY === true ? CLEAR : again ? '\n' : '';
  console.log(`${clear}${renderStatus(status)}`);
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function toJson({ target, coordinators, silence, look, past, asOfMs, nextRunAtMs }: TargetStatus) {
  const last = past.last;
  return {
    target,
    asOf: iso(asOfMs),
    coordinators,
    silence,
    families: look?.families ?? [],
    lastRun: last === null ? null : { ...rowOf(last), outcome: last.outcome, endedAt: iso(last.atMs) },
    nextRunAt: iso(nextRunAtMs),
  };
}
