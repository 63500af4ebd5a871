import { expect, test } from 'vitest';
import { sendsTraces, wantedBy } from '../../src/telemetry/wanted.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

test.each([
  [{}, null],
  [{ OTEL_SERVICE_NAME: 'swarm', OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, null],
  [ENDPOINT, 'protobuf'],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/v1/traces' }, 'protobuf'],
  [{ OTEL_TRACES_EXPORTER: 'otlp' }, 'protobuf'],
  [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'console, otlp' }, 'protobuf'],
  [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }, null],
  [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }, null],
  [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'false' }, 'protobuf'],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }, 'json'],
  [
    { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' },
    'protobuf',
  ],
] as const)('with %j traces go as %s, without a word', (env, form) => {
  expect(wantedBy(env)).toEqual({ form, complaint: null });
  expect(sendsTraces(env)).toBe(form !== null);
});

test.each([
  [{ OTEL_TRACES_EXPORTER: 'zipkin' }, 'OTEL_TRACES_EXPORTER: "zipkin" is not known here; use otlp, or none'],
  [
    { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    'OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" is not spoken here; use http/protobuf, for which collectors listen on port 4318',
  ],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'user:secret@collector:4318' },
    'OTEL_EXPORTER_OTLP_ENDPOINT: must be an address such as http://collector:4318',
  ],
  [
    { ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'collector' },
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: must be an address such as http://collector:4318',
  ],
])('with %j none are sent, and it is said why', (env, complaint) => {
  expect(wantedBy(env)).toEqual({ form: null, complaint: `${complaint}; no traces are sent` });
});
