/** explain: says whose names are, what a run would do with them now, and when they were swept. */
import { fingerprintOf } from '../../config/fingerprint.ts';
import type { Config, TargetConfig } from '../../config/resolve.ts';
import { Failure } from '../../domain/failure.ts';
import type { Entry } from '../../explain/entry.ts';
import { explainNames } from '../../explain/explain.ts';
import { jsonOf } from '../../explain/json.ts';
import { bytesOf } from '../../domain/nameText.ts';
import { pastOfName } from '../../explain/past.ts';
import { type OpenLedger, openLedger } from '../../ledger/openLedger.ts';
import { outagesOf, promotedAtOf } from '../../ledger/targets/outagesOf.ts';
import { pastOf } from '../../ledger/targets/past.ts';
import { explain as explainError } from '../../redis/connection/explain.ts';
import { openTarget } from '../../redis/target/openContact.ts';
import type { Target } from '../../redis/target/target.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { renderEntry, renderPast } from '../output/renderEntry.ts';
import { say } from '../output/say.ts';
import { targetOf, withPrivateRedis } from '../target.ts';
import { wordsOf } from '../../redis/rights/refusals.ts';

interface Options {
  readonly target?: string;
  readonly json?: boolean;
}

/** Prints an entry for each name, two for one that is both a key and an id. */
export async function explain(names: readonly string[], options: Options, command: Command): Promise<void> {
  const config = await withPrivateRedis(configOf(command));
  const settings = targetOf(config, options.target);
  const asked = names.map(bytesOf);
  const entries = await entriesOf(config, settings, asked).catch(async (error) => {
    if (error instanceof Failure && error.code === 'UNREACHABLE' && !options.json)
      await tellPast(config, settings, asked);
    throw error;
  });
  console.log(
    options.json
      ? JSON.stringify(entries.map(jsonOf))
      : entries.map((entry) => renderEntry(entry, settings.name)).join('\n\n'),
  );
}

async function entriesOf(config: Config, settings: TargetConfig, names: readonly Buffer[]): Promise<Entry[]> {
  let past = null as OpenLedger | null;
  let target: Target | null = null;
  const signal = new AbortController().signal;
  try {
    const outages = async (nowMs: number) => {
      past = await openPast(config);
      return past === null ? [] : await outagesOf(past.ledger, settings, nowMs);
    };
    const promotedAt = async (histories: readonly string[], nowMs: number) =>
      past === null ? new Map<string, number>() : await promotedAtOf(past.ledger, settings, histories, nowMs, false);
    target = await openTarget(settings, { dryRun: true, signal, warn: say, outages, promotedAt });
    const known = {
      target,
      warn: say,
      ledger: past?.ledger ?? null,
      sightings: past?.sightingsOf(settings, { mostBytes: settings.sightings, readOnly: true, warn: say }) ?? null,
      past: past === null ? null : await pastOf(past.ledger, settings.name, fingerprintOf(settings)).catch(() => null),
    };
    return await explainNames(known, names);
  } catch (error) {
    throw explainError(error, settings);
  } finally {
    target?.close();
    past?.close();
  }
}

/** Prints what the ledger alone knows of these names. */
async function tellPast(config: Config, settings: TargetConfig, names: readonly Buffer[]): Promise<void> {
  const past = await openPast(config);
  if (past === null) return;
  try {
    for (const name of names) {
      console.log(renderPast(name, await pastOfName(past.ledger, settings, name), settings.name));
    }
  } catch (error) {
    say(`what was swept can not be read: ${wordsOf(error)}`);
  } finally {
    past.close();
  }
}

/** The ledger and what earlier runs saw; `null`, and a line, where that can't be had. */
async function openPast(config: Config): Promise<OpenLedger | null> {
  try {
    return await openLedger(config.queue, config.process.ledger);
  } catch (error) {
    say(`what was swept is not known, nor who beat before: ${wordsOf(error)}`);
    return null;
  }
}
