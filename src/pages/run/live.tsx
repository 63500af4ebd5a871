/** live: how far a run is, as it goes on: the part of its page that says so, whenever it says something else. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Request, Response } from 'express';
import { renderPart } from '../page.tsx';
import type { PageParts } from '../route.ts';
import { jobOf } from './job.ts';
import { runIn } from './runIn.ts';
import { Lead } from './runPage.tsx';

const LOOK_EVERY_MS = 1_000;
/** Longer than this no proxy is left without a byte. */
const LOOKS_PER_SIGN = 15;

/** Answers with a stream of events until whoever asked leaves. Once the run has ended nothing more comes. */
export async function streamRun(parts: PageParts, request: Request, response: Response): Promise<void> {
  const first = await runIn(parts, request, response);
  if (first === null) return;
  const { site, queues, ledger } = parts;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.status(200).set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.flushHeaders();
  let said = '';
  let hasEnded = false;
  for (let look = 1; !gone.signal.aborted; look++) {
    try {
      if (!hasEnded) {
        const { run: id, target, startedAtMs } = first;
        const run = (await ledger.findRun({ run: id, target, startedAtMs })) ?? first;
        const notes = run.state === 'ended' && run.trashMs !== undefined ? await ledger.restored(run) : [];
        const lead = <Lead run={run} job={await jobOf(queues, run)} notes={notes} now={Date.now()} />;
        const html = renderPart(site, lead);
        if (html !== said) response.write(`event: part\ndata: ${JSON.stringify({ id: 'run-lead', html })}\n\n`);
        said = html;
        hasEnded = run.state === 'ended';
      }
      if (look % LOOKS_PER_SIGN === 0) response.write(':\n\n');
      await pause(LOOK_EVERY_MS, undefined, { signal: gone.signal });
    } catch (error) {
      // Whoever watches asks again; and is shown since when nothing came.
      if (!gone.signal.aborted) response.destroy(error instanceof Error ? error : undefined);
      return;
    }
  }
}
