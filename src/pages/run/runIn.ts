/** run in: which run the address of a page means. */
import type { Request, Response } from 'express';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { sendError } from '../errorPage.tsx';
import type { PageParts } from '../route.ts';
import { numberIn, textIn } from '../runs/query.ts';

/** The run that an address means; where the ledger has none such, that is answered, and it is `null`. */
export async function runIn(parts: PageParts, request: Request, response: Response): Promise<PastRun | null> {
  const { run: id = '' } = request.params as { run?: string };
  const run = await parts.ledger.findRun({
    run: id,
    target: textIn(request, 'target'),
    endedAtMs: numberIn(request, 'at'),
    startedAtMs: numberIn(request, 'during'),
  });
  if (run !== null) return run;
  const error = `no run ${JSON.stringify(id.slice(0, 100))} stands in the ledger; old ones leave it, by age and size`;
  sendError(parts.site, request, response, { status: 404, error });
  return null;
}
