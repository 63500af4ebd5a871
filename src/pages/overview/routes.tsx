/** routes: the overview, and what its buttons do. */
import { sendPage } from '../page.tsx';
import type { PageParts, PageRoute } from '../pages.ts';

export function overviewRoutes({ site }: PageParts): readonly PageRoute[] {
  return [
    {
      method: 'get',
      path: '/',
      answer: (request, response) =>
        sendPage(site, request, response, { title: 'Overview', here: '/', children: <h1>Overview</h1> }),
    },
  ];
}
