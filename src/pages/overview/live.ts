/** live: brings the numbers of open pages up to date: server-sent events, each with a part of the page that has changed.
 *  (https://html.spec.whatwg.org/multipage/server-sent-events.html)
 */
import type { Response } from 'express';

/** A part of a page by its id, as HTML. */
export type Parts = ReadonlyMap<string, string>;

const EVERY_MS = 1_000;
/** More are sent away, and come again: each costs a page a second. */
const MOST_VIEWERS = 100;

interface Viewer {
  readonly response: Response;
  readonly render: () => Promise<Parts>;
  /** What was sent last, by id, without its times: these go on by themselves. */
  readonly sent: Map<string, string>;
}

/** What a part says but for how long ago things were, which every page tells by itself. */
function withoutTimes(html: string): string {
  return html.replace(/>[^<]*<\/time>/g, '></time>');
}

export class Live {
  readonly #viewers = new Set<Viewer>();
  #timer: NodeJS.Timeout | null = null;
  #busy = false;

  /** Answers with events until the viewer leaves. `render` must not reject. */
  show(response: Response, render: () => Promise<Parts>): void {
    if (this.#viewers.size >= MOST_VIEWERS) {
      response.status(503).set('Retry-After', '30').json({ error: 'too many pages are open' });
      return;
    }
    response.set({ 'Cache-Control': 'no-store', 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    response.write('retry: 2000\n\n');
    const viewer: Viewer = { response, render, sent: new Map() };
    this.#viewers.add(viewer);
    response.once('close', () => this.#leave(viewer));
    this.#timer ??= setInterval(() => void this.#tick(), EVERY_MS);
    void this.#bring(viewer);
  }

  #leave(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  async #tick(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (const viewer of this.#viewers) await this.#bring(viewer);
    this.#busy = false;
  }

  async #bring({ response, render, sent }: Viewer): Promise<void> {
    const parts = await render();
    // Whoever does not read gets no more until they have.
    if (response.writableNeedDrain || response.writableEnded) return;
    for (const [id, html] of parts) {
      const news = withoutTimes(html);
      if (sent.get(id) === news) continue;
      sent.set(id, news);
      response.write(`event: part\ndata: ${JSON.stringify({ id, html })}\n\n`);
    }
    response.write(`event: beat\ndata: ${new Date().toISOString()}\n\n`);
  }
}
