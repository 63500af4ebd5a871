/** assets: the stylesheet and the scripts, each one file that browsers keep: a changed one has another name. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type RequestHandler, Router } from 'express';

const { resolve } = createRequire(import.meta.url);

const TYPES = {
  'page.css': 'text/css',
  'page.js': 'text/javascript',
  'board.js': 'text/javascript',
  'icon.svg': 'image/svg+xml',
  'alarm.svg': 'image/svg+xml',
} as const;
type Name = keyof typeof TYPES;

interface Asset {
  readonly path: string;
  readonly answer: RequestHandler;
}

function assetOf(name: Name): Asset {
  const bytes = readFileSync(resolve(`#root/src/pages/assets/${name}`));
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 10);
  return {
    path: `/assets/${hash}/${name}`,
    answer: (_request, response) => {
      response.set('Cache-Control', 'private, max-age=31536000, immutable');
      response.type(TYPES[name]).send(bytes);
    },
  };
}

/** Routes that serve them, and the path of each by its name. Throws when one can't be read. */
export function serveAssets(): { readonly router: Router; readonly paths: Readonly<Record<Name, string>> } {
  const router = Router();
  const paths = Object.entries(TYPES).map(([name]) => {
    const { path, answer } = assetOf(name as Name);
    router.get(path, answer);
    return [name, path];
  });
  return { router, paths: Object.fromEntries(paths) as Record<Name, string> };
}
