/** error page: what could not be shown or done, in one sentence, and the way back. */
import type { Request, Response } from 'express';
import { Message } from './message.tsx';
import { sendPage } from './page.tsx';
import { type Site, usePath } from './site.ts';

/** Answers with one sentence, as a page. */
export function sendError(
  site: Site,
  request: Request,
  response: Response,
  { status, error }: { readonly status: number; readonly error: string },
): void {
  const word = status === 503 ? 'Out of reach' : status === 404 ? 'Not found' : 'Not done';
  const messages = (
    <Message kind="trouble" word={word}>
      {error}
    </Message>
  );
  sendPage(site, request, response, { title: word, here: null, messages, children: <WayBack /> }, status);
}

function WayBack() {
  const to = usePath();
  return (
    <p>
      <a href={to('/')}>To the overview</a>
    </p>
  );
}
