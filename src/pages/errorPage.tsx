/** error page: what could not be shown or done, in one sentence, and the way back. */
import type { Request, Response } from 'express';
import { Message } from './parts/message.tsx';
import { sendPage } from './page.tsx';
import { type Site, usePath } from './site.ts';

/** As much of a path as a sentence can hold. */
const MOST_SHOWN = 200;

/** That nothing is where somebody looks. */
export function nothingAt({ path }: Pick<Request, 'path'>): string {
  return `there is nothing at ${path.slice(0, MOST_SHOWN)}`;
}

/** Answers with one sentence, as a page. */
export function sendError(
  site: Site,
  request: Request,
  response: Response,
  { status, error }: { readonly status: number; readonly error: string },
): void {
  const text = `${error.charAt(0).toUpperCase()}${error.slice(1)}`;
  const sentence = /[.!?]$/.test(text) ? text : `${text}.`;
  const word = status === 503 ? 'Out of reach' : status === 404 ? 'Not found' : 'Not done';
  const messages = (
    <Message kind="trouble" word={word}>
      {sentence}
      {status === 503 && ' What runs did stands in its Redis, and is here again once it answers.'}
    </Message>
  );
  const children = [
    <h1 key="title" class="unseen">
      {word}
    </h1>,
    <WayBack
      key="back"
      again={status === 503 && request.method === 'GET' ? `${request.baseUrl}${request.url}` : null}
    />,
  ];
  sendPage(
    site,
    request,
    response,
    {
      title: word,
      here: null,
      messages,
      children,
    },
    status,
  );
}

/** @param again where to ask once more; `null`: that leads nowhere */
function WayBack({ again }: { readonly again: string | null }) {
  const to = usePath();
  return (
    <p class="actions">
      {again !== null && (
        <a class="button" href={to(again)}>
          Try again
        </a>
      )}
      <a class={again === null ? undefined : 'button'} href={to('/')}>
        {again === null ? 'To the overview' : 'The overview, as last known'}
      </a>
    </p>
  );
}
