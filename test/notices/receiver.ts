/** receiver: a web server that notices are posted to, and that answers as it is told. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { finished as ofCurrent } from '../support/finished.ts';

export interface Received {
  readonly headers: Readonly<Record<string, string>>;
  readonly path: string;
  readonly method: string;
  readonly body: string;
}

type Answer = (response: ServerResponse) => void;

/** Answers with this status. */
export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (response) => response.writeHead(code, headers).end('whatever');
}

/** Never answers. */
export const silence: Answer = () => {};

export class Receiver {
  readonly received: Received[] = [];
  #port = 0;
  #server = createServer((request, response) => void this.#take(request, response));
  #next: Answer[] = [];

  /** How it answers when nothing else is said. */
  usually: Answer = status(204);

  /** Listens until the test has ended. */
  static async listen(finished = ofCurrent): Promise<Receiver> {
    const receiver = new Receiver();
    await receiver.open();
    finished(() => receiver.close());
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook/t0ken`;
  }

  /** The events it was told of, in order. */
  get events(): string[] {
    return this.received.map(({ body }) => (JSON.parse(body) as { data: { event: string } }).data.event);
  }

  /** Answers the next requests so. */
  answerNext(...answers: Answer[]): void {
    this.#next.push(...answers);
  }

  async open(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async untilReceived(count: number): Promise<void> {
    await expect.poll(() => this.received.length, { interval: 10 }).toBeGreaterThanOrEqual(count);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { headers, url = '', method = '' } = request;
    const body = Buffer.concat(parts).toString('utf8');
    this.received.push({ headers: headers as Record<string, string>, path: url, method, body });
    (this.#next.shift() ?? this.usually)(response);
  }
}
