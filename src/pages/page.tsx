/** page: renders a page and answers with it. Whatever a page shows is escaped by the renderer. */
import type { Request, Response } from 'express';
import type { ComponentChildren } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { Frame, type FrameProps, type Theme } from './parts/frame.tsx';
import { type Site, SiteContext } from './site.ts';

export type PageProps = Omit<FrameProps, 'theme'>;

/** What the viewer chose with the switch; `null` where nothing. */
function themeIn(request: Request): Theme {
  const [, theme] = /(?:^|;\s*)stalesweep-theme=(light|dark)(?:;|$)/.exec(request.get('cookie') ?? '') ?? [];
  return theme === 'light' || theme === 'dark' ? theme : null;
}

/** Answers with a page; `status` is 200 unless something else is said. */
export function sendPage(site: Site, request: Request, response: Response, page: PageProps, status = 200): void {
  const html = renderPart(site, <Frame {...page} theme={themeIn(request)} />);
  response.status(status).set('Cache-Control', 'no-store').type('html').send(`<!doctype html>${html}`);
}

/** A part of a page as HTML: what the script puts in the place of an older one. */
export function renderPart(site: Site, part: ComponentChildren): string {
  return renderToString(<SiteContext.Provider value={site}>{part}</SiteContext.Provider>);
}
