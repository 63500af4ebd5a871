/** routes: the overview, and what its buttons do. */
import type { Request, Response } from 'express';
import { Failure } from '../../domain/failure.ts';
import { enqueue, type Enqueued } from '../../queue/runs/enqueue.ts';
import { stopRun } from '../../queue/runs/stop.ts';
import { StatusReader, type TargetStatus } from '../../status/status.ts';
import { AnswersContext } from '../answers.ts';
import { renderPart, sendPage } from '../page.tsx';
import type { PageParts, PageRoute } from '../route.ts';
import { targetPath } from '../paths.ts';
import { type AskKind, AskPage } from './askPage.tsx';
import { type DoneWord, doneIn } from './done.tsx';
import { Live } from './live.ts';
import { Overview, Pulse, partsOf, tabOf, type View } from './overview.tsx';
import { StatusSource } from './statusSource.ts';
import { SweptLast } from './sweptLast.ts';

/** What can be asked for, by the word that a form carries. */
const WISHES = {
  dry: { dryRun: true },
  run: { dryRun: false },
  force: { dryRun: false, force: true },
} as const;

const READ_ONLY = 'this dashboard is read-only (STALESWEEP_READ_ONLY): runs are asked for elsewhere';

function textIn(from: unknown, name: string): string | undefined {
  const value = (from as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' ? value : undefined;
}

export function overviewRoutes(parts: PageParts): readonly PageRoute[] {
  const overview = new OverviewPages(parts);
  return [
    { method: 'get', path: '/', answer: async (request, response) => await overview.show(request, response) },
    { method: 'get', path: '/live', answer: (request, response) => overview.live(request, response) },
    { method: 'get', path: '/ask', answer: async (request, response) => await overview.ask(request, response) },
    { method: 'post', path: '/run', answer: async (request, response) => await overview.run(request, response) },
    { method: 'post', path: '/stop', answer: async (request, response) => await overview.stop(request, response) },
  ];
}

class OverviewPages {
  readonly #source: StatusSource;
  readonly #swept: SweptLast;
  readonly #live = new Live();

  constructor(private readonly parts: PageParts) {
    const { config, queues, ledger, reach } = parts;
    this.#source = new StatusSource(new StatusReader({ config, queues, ledger }), reach);
    this.#swept = new SweptLast(ledger);
    this.#source.warm();
  }

  async show(request: Request, response: Response): Promise<void> {
    const { site, ledger } = this.parts;
    const view = await this.#view(request);
    // Ids of those who were swept lead to what is found of them.
    if (view.target !== null && view.swept.length > 0) void ledger.prepareToFind().catch(() => {});
    const query = request.originalUrl.split('?')[1] ?? '';
    const tab = tabOf(view);
    const page = {
      ...tab,
      here: '/',
      pulse: <Pulse status={view.status} tab={tab} />,
      children: <Overview view={view} live={`${site.basePath}/live${query === '' ? '' : `?${query}`}`} />,
    };
    sendPage(site, request, response, page);
  }

  live(request: Request, response: Response): void {
    const { site } = this.parts;
    // Said at once, where the target is none.
    this.#targetIn(request.query);
    this.#live.show(response, async () => {
      const parts = [...partsOf(await this.#view(request))];
      return new Map(parts.map(([id, part]) => [id, renderPart(site, part)]));
    });
  }

  async ask(request: Request, response: Response): Promise<void> {
    const { site } = this.parts;
    if (site.readOnly) throw new Failure('DENIED', READ_ONLY);
    const { status, target, now } = await this.#view(request);
    if (target === null) throw new Failure('USAGE', 'say which target');
    const kind: AskKind = request.query.kind === 'force' ? 'force' : 'run';
    sendPage(site, request, response, {
      title: kind === 'force' ? 'Sweep them now?' : 'Run now?',
      here: '/',
      pulse: <Pulse status={status} />,
      children: (
        <AnswersContext.Provider value={status.known !== 'then'}>
          <AskPage status={target} kind={kind} now={now} />
        </AnswersContext.Provider>
      ),
    });
  }

  async run(request: Request, response: Response): Promise<void> {
    const { config, queues } = this.parts;
    const kind = textIn(request.body, 'kind') ?? '';
    if (!Object.hasOwn(WISHES, kind)) throw new Failure('USAGE', 'say which kind of run: dry, run or force');
    const target = textIn(request.body, 'target') ?? '';
    const wish = WISHES[kind as keyof typeof WISHES];
    const by = config.process.dashboardUser ?? null;
    const asked = await enqueue(queues.runs, config.targets, { target, trigger: 'manual', ...wish }, by);
    this.#seeOther(response, target, wordFor(asked), asked.run);
  }

  async stop(request: Request, response: Response): Promise<void> {
    const run = textIn(request.body, 'run') ?? '';
    await stopRun(this.parts.queues, run);
    this.#seeOther(response, textIn(request.body, 'target') ?? '', 'stopping', run);
  }

  /** So that a page that is loaded again asks for nothing again. */
  #seeOther(response: Response, target: string, done: DoneWord, run: string): void {
    response.redirect(303, `${this.parts.site.basePath}${targetPath(target, { done, run })}`);
  }

  async #view(request: Request): Promise<View> {
    const name = this.#targetIn(request.query);
    const status = await this.#source.get();
    const now = Date.now();
    const target = status.targets.find((one): one is TargetStatus => one.target === name);
    if (target === undefined) return { status, target: null, now };
    const swept = await this.#swept.of(target.past.sweep);
    return { status, target, swept, done: doneIn(request.query), now };
  }

  /** The target that is asked for, or the only one; `null`: all. Fails (`USAGE`) where there is no such. */
  #targetIn(query: unknown): string | null {
    const { targets } = this.parts.config;
    const [first] = targets.keys();
    const name = textIn(query, 'target');
    if (name === undefined) return targets.size === 1 && first !== undefined ? first : null;
    if (targets.has(name)) return name;
    throw new Failure('USAGE', `there is no target ${JSON.stringify(name.slice(0, 64))}`);
  }
}

function wordFor({ joined, onlyDry, difference }: Enqueued): DoneWord {
  if (!joined) return 'asked';
  if (onlyDry) return 'joined-dry';
  return difference === null ? 'joined' : 'joined-other';
}
