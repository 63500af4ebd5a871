/** frame: what stands around every page: its head, the way to the others, messages. */
import type { ComponentChildren } from 'preact';
import { usePath, useSite } from '../site.ts';

export type Theme = 'light' | 'dark' | null;

export interface FrameProps {
  readonly title: string;
  /** Whether the browser's tab is to say that a person is needed now. */
  readonly isGrave?: boolean;
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

/** What the browser's tab says of a page. */
export function titleText(title: string): string {
  return `${title} · stalesweep`;
}

/** The sign on it. */
export function iconFor({ isGrave = false }: Pick<FrameProps, 'isGrave'>): string {
  return isGrave ? 'alarm.svg' : 'icon.svg';
}

export function Frame({ title, isGrave = false, here, theme, pulse, head, messages, children }: FrameProps) {
  const { version, basePath, assets } = useSite();
  const to = usePath();
  return (
    <html lang="en" data-theme={theme ?? undefined} data-base={basePath} data-now={Date.now()}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{titleText(title)}</title>
        <link rel="icon" href={to(assets[iconFor({ isGrave })] ?? '')} type="image/svg+xml" />
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
