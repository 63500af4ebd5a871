/** frame: what stands around every page: its head, the way to the others, messages. */
import type { ComponentChildren } from 'preact';
import { usePath, useSite } from '../site.ts';

export type Theme = 'light' | 'dark' | null;

export interface FrameProps {
  readonly title: string;
  /** The page's own path among those of the navigation; `null` for one beneath them. */
  readonly here: string | null;
  /** `null`: as the system has it. */
  readonly theme: Theme;
  /** How queue and workers are, in a few words. */
  readonly pulse?: ComponentChildren;
  /** What its head holds besides. */
  readonly head?: ComponentChildren;
  readonly messages?: ComponentChildren;
  readonly children: ComponentChildren;
}

const PAGES = [
  ['/', 'Overview'],
  ['/runs', 'Runs'],
  ['/queues', 'Queue'],
] as const;

export function Frame({ title, here, theme, pulse, head, messages, children }: FrameProps) {
  const { version, basePath, assets } = useSite();
  const to = usePath();
  return (
    <html lang="en" data-theme={theme ?? undefined} data-base={basePath} data-now={Date.now()}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · stalesweep`}</title>
        <link rel="icon" href={to(assets['icon.svg'] ?? '')} type="image/svg+xml" />
        <link rel="stylesheet" href={to(assets['page.css'] ?? '')} />
        <script type="module" src={to(assets['page.js'] ?? '')} />
        {head}
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header class="top">
          <a class="brand" href={to('/')}>
            stalesweep
          </a>
          <nav aria-label="Pages">
            {PAGES.map(([path, name]) => (
              <a key={path} class="page" href={to(path)} aria-current={path === here ? 'page' : undefined}>
                {name}
              </a>
            ))}
          </nav>
          <div class="pulse">
            {pulse}
            <span>v{version}</span>
          </div>
          <button type="button" class="theme" data-theme-switch hidden>
            Dark
          </button>
        </header>
        <main id="main" tabIndex={-1}>
          <div id="messages">{messages}</div>
          {children}
        </main>
      </body>
    </html>
  );
}
