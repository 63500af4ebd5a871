/** sender: traces on their way to a collector, by OTLP over HTTP. Loaded only where they are sent.
 *
 * Everything that OpenTelemetry says about it stands in its own variables: endpoint, headers, certificates, sampling, resource.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { context, propagation, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace-node';

/** Told what becomes of traces on their way. */
export interface TraceWatch {
  /** Why there are none though somebody asked for them, in a sentence. */
  warn(sentence: string): void;
  /** Some could not be sent. */
  failed(error: Error): void;
  /** Some could. */
  restored(): void;
}

/** What sends the traces of this process. */
export interface Tracing {
  /** Sends what there is, and waits no longer than its patience; no trace is made afterwards. */
  close(): Promise<void>;
}

/** The exporter, with a watch on how its sendings end. */
function watched(exporter: SpanExporter, watch: TraceWatch): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.code === 0) watch.restored();
        else watch.failed(result.error ?? new Error('the collector refused them'));
        done(result);
      }),
    shutdown: async () => await exporter.shutdown(),
  };
}

/** Who sends: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` over ours. */
function resource() {
  const file = createRequire(import.meta.url).resolve('#root/package.json');
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return defaultResource()
    .merge(
      resourceFromAttributes({
        'service.name': 'stalesweep',
        'service.version': version,
        'service.instance.id': `${hostname()}:${process.pid}`,
      }),
    )
    .merge(detectResources({ detectors: [envDetector] }));
}

/** Registers the provider of this process; what ends it sends what is left, and gives up after `patienceMs`. */
export function startSender(form: 'protobuf' | 'json', watch: TraceWatch, patienceMs: number): Tracing {
  const exporter = form === 'json' ? new JsonExporter() : new ProtobufExporter();
  const provider = new NodeTracerProvider({
    resource: resource(),
    spanProcessors: [new BatchSpanProcessor(watched(exporter, watch))],
  });
  provider.register();
  return {
    close: async () => {
      for (const api of [trace, context, propagation]) api.disable();
      const ending = new AbortController();
      // What failed has been told.
      const sent = provider.shutdown().catch(() => {});
      const late = pause(patienceMs, 'late', { signal: ending.signal }).catch(() => {});
      if ((await Promise.race([sent, late])) === 'late') watch.failed(new Error('the collector does not answer'));
      ending.abort();
    },
  };
}
