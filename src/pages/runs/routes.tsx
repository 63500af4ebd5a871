/** routes: all runs, and the search for an id. */
import type { Request, Response } from 'express';
import { bytesOf } from '../../domain/nameText.ts';
import { sweptOf } from '../../explain/swept.ts';
import { type RunsPage, readRunsPage } from '../../health/runsPage.ts';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { amountOf } from '../parts/amounts.ts';
import { Time } from '../parts/time.tsx';
import { sendPage } from '../page.tsx';
import type { PageParts, PageRoute } from '../route.ts';
import { usePath } from '../site.ts';
import { Filters } from './filters.tsx';
import { fold, type Row } from './fold.ts';
import { FoundTimes } from './found.tsx';
import { pathOf, type RunsQuery, readQuery } from './query.ts';
import { RunsTable } from './table.tsx';

/** Rows of a page, roughly; runs that are folded together count as one. */
const ROWS = 12;
/** However few rows they make: parsing so many takes some ms. */
const MOST_RUNS = 600;

export function runsRoutes(parts: PageParts): readonly PageRoute[] {
  return [
    { method: 'get', path: '/runs', answer: async (request, response) => await showRuns(parts, request, response) },
  ];
}

async function showRuns({ site, config, queues, ledger }: PageParts, request: Request, response: Response) {
  const query = readQuery(request);
  const now = Date.now();
  const page = { title: query.find === null ? 'Runs' : 'Find an id', here: '/runs' };
  const targets = [...config.targets.keys()];
  if (query.find !== null) {
    const [found, sinceMs] = await Promise.all([
      sweptOf(ledger, [bytesOf(query.find)], { among: config.targets }),
      ledger.reachesBackToMs(),
    ]);
    const children = [
      <h1 key="title">Runs</h1>,
      <Filters key="filters" query={query} targets={targets} now={now} />,
      <FoundTimes key="found" id={query.find} found={found} sinceMs={sinceMs} now={now} />,
    ];
    sendPage(site, request, response, { ...page, children });
    return;
  }
  // Whoever sees this page may ask for an id next.
  void ledger.prepareToFind().catch(() => {});
  const rowsOf = (runs: readonly PastRun[]): readonly Row[] =>
    query.unfolded ? runs.map((run) => ({ kind: 'run', run })) : fold(runs);
  const suffices = (runs: readonly PastRun[]) => runs.length >= MOST_RUNS || rowsOf(runs).length >= ROWS;
  const runs = await readRunsPage(queues, ledger, query.filter, {
    targets: config.targets,
    cursor: query.cursor,
    suffices,
  });
  const children = [
    <h1 key="title">Runs</h1>,
    <Filters key="filters" query={query} targets={targets} now={now} />,
    <Runs key="runs" query={query} page={runs} rows={rowsOf(runs.runs)} now={now} />,
    runs.cursor === null && <ReachesBack key="back" sinceMs={await ledger.reachesBackToMs()} now={now} />,
  ];
  sendPage(site, request, response, { ...page, children });
}

interface RunsProps {
  readonly query: RunsQuery;
  readonly page: RunsPage;
  readonly rows: readonly Row[];
  readonly now: number;
}

function Runs({ query, page: { queued, cursor, damaged }, rows, now }: RunsProps) {
  const to = usePath();
  const isFolded = rows.some(({ kind }) => kind !== 'run');
  if (rows.length + queued.length === 0) return <NoRuns query={query} cursor={cursor} />;
  return (
    <div class="stack">
      <RunsTable rows={rows} queued={queued} now={now} />
      <p class="pages">
        {query.cursor !== null && <a href={to(pathOf(query, null))}>Newest</a>}
        {cursor !== null && (
          <a href={to(pathOf(query, cursor))} rel="next">
            Earlier runs
          </a>
        )}
        {(isFolded || query.unfolded) && (
          <a href={to(pathOf(query, query.cursor, !query.unfolded))}>
            {query.unfolded ? 'Fold' : 'A row for each run'}
          </a>
        )}
      </p>
      {damaged > 0 && <p class="soft">{amountOf(damaged, 'part')} of the ledger could not be read.</p>}
    </div>
  );
}

/** Where the list ends. */
function ReachesBack({ sinceMs, now }: { readonly sinceMs: number | null; readonly now: number }) {
  if (sinceMs === null) return null;
  return (
    <p class="soft">
      The ledger reaches back to <Time at={sinceMs} now={now} />: older runs leave it, by age and by size.
    </p>
  );
}

function NoRuns({ query, cursor }: { readonly query: RunsQuery; readonly cursor: string | null }) {
  const to = usePath();
  const isFiltered = Object.values(query.filter).some((one) => one !== undefined);
  if (cursor !== null) {
    return (
      <p class="empty">
        None so far back. <a href={to(pathOf(query, cursor))}>Look further</a>
      </p>
    );
  }
  if (isFiltered || query.cursor !== null) {
    return (
      <p class="empty">
        No run is like that. <a href={to('/runs')}>Show all runs</a>
      </p>
    );
  }
  return (
    <p class="empty">
      No run yet. Each run stands here from the moment it begins: scheduled ones, those asked for by hand, and those of
      the command line.
    </p>
  );
}
