/** collector: a server that takes traces as OpenTelemetry's collectors do, or is as slow as they can be. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { finished as ofCurrent } from './finished.ts';

/** A span as OTLP writes it in JSON, its attributes by name. */
export interface ReceivedSpan {
  readonly name: string;
  /** 1 internal, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface Collector {
  readonly url: string;
  /** What came, as text. */
  readonly bodies: readonly string[];
  readonly headers: readonly IncomingHttpHeaders[];
  /** The spans that came as JSON. */
  spans(): ReceivedSpan[];
  /** Resolves once a span of this name has come. */
  received(name: string): Promise<void>;
  /** Resolves once something has come, answered or not. */
  asked(): Promise<void>;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

function valuesOf(attributes: readonly Attribute[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

function spansIn(body: string): ReceivedSpan[] {
  type Raw = Omit<ReceivedSpan, 'attributes' | 'resource'> & { attributes: Attribute[] };
  const { resourceSpans } = JSON.parse(body) as {
    resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { spans: Raw[] }[] }[];
  };
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        attributes: valuesOf(span.attributes),
        resource: valuesOf(resource.attributes),
      })),
    ),
  );
}

function accept(response: ServerResponse): void {
  response.setHeader('content-type', 'application/json').end('{}');
}

/**
 * Starts one; it ends with the test.
 * @param answer what it does with whoever sends; left out: it thanks
 */
export async function startCollector(answer = accept, finished = ofCurrent): Promise<Collector> {
  const bodies: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const grown = new EventEmitter().setMaxListeners(0);
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      bodies.push(Buffer.concat(parts).toString('latin1'));
      headers.push(request.headers);
      answer(response);
      grown.emit('body');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  finished(() => {
    server.closeAllConnections();
    server.close();
  });
  const spans = () => bodies.flatMap(spansIn);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    headers,
    spans,
    received: async (name) => {
      while (!spans().some((span) => span.name === name)) await once(grown, 'body');
    },
    asked: async () => {
      if (bodies.length === 0) await once(grown, 'body');
    },
  };
}

/** The environment of a process that sends its traces there, as JSON and soon. */
export function sendingTo({ url }: { readonly url: string }): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '50',
  };
}
