/** routes: one run, and what goes on in it while it is under way. */
import type { Request, Response } from 'express';
import { bytesOf } from '../../domain/nameText.ts';
import type { SweptPlace } from '../../ledger/swept/sweptPage.ts';
import { sendPage } from '../page.tsx';
import type { PageParts, PageRoute } from '../route.ts';
import { textIn } from '../runs/query.ts';
import { jobOf } from './job.ts';
import { streamRun } from './live.tsx';
import { cameBack, restoreRoutes } from './restore.tsx';
import { RunPage } from './runPage.tsx';
import { runIn } from './runIn.ts';

const SWEPT_ROWS = 100;
/** A search looks for so long at once, in ms: some 200,000 ids. */
const MOST_SEARCH_MS = 250;

export function runRoutes(parts: PageParts): readonly PageRoute[] {
  return [
    { method: 'get', path: '/runs/:run/live', answer: async (...both) => await streamRun(parts, ...both) },
    ...restoreRoutes(parts),
    { method: 'get', path: '/runs/:run', answer: async (...both) => await showRun(parts, ...both) },
  ];
}

async function showRun(parts: PageParts, request: Request, response: Response): Promise<void> {
  const { site, config, queues, ledger } = parts;
  const run = await runIn(parts, request, response);
  if (run === null) return;
  const [part, from] = [textIn(request, 'part'), placeIn(request)];
  const hasSwept = run.removed.swept > 0 || part !== undefined;
  // Each id leads to what is found of it.
  if (hasSwept) void ledger.prepareToFind().catch(() => {});
  const [job, notes, page] = await Promise.all([
    jobOf(queues, run),
    run.trashMs === undefined ? [] : ledger.restored(run),
    hasSwept
      ? ledger.sweptPage({
          run,
          from,
          limit: SWEPT_ROWS,
          part: part === undefined ? undefined : bytesOf(part),
          mostMs: MOST_SEARCH_MS,
        })
      : null,
  ]);
  const children = (
    <RunPage
      run={run}
      target={config.targets.get(run.target) ?? null}
      job={job}
      swept={page && { page, part, from }}
      notes={notes}
      now={Date.now()}
    />
  );
  sendPage(site, request, response, { title: `Run ${run.run}`, here: '/runs', messages: cameBack(request), children });
}

function placeIn(request: Request): SweptPlace | undefined {
  const [, batch, row] = /^(\d{1,9})\.(\d{1,9})$/.exec(textIn(request, 'from') ?? '') ?? [];
  return batch === undefined ? undefined : { batch: Number(batch), row: Number(row) };
}
