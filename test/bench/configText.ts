/** config text: the configuration file of a trial, for the contenders that read one. */
import type { Task } from './programs/contend.ts';

/** JSON, which is YAML as well. */
export function configText({ sample, staleAfter, ledgerUrl, settings }: Task): string {
  return JSON.stringify({
    schema: sample.schema,
    staleAfter,
    // The data were loaded a moment ago, which is an outage to stalesweep (P10).
    restartGrace: false,
    queue: { url: ledgerUrl },
    ...settings,
  });
}
