/** tls: certificates made for one test file, and a redis-server that asks for them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { startRedis, type TestRedis } from './redis.ts';

function make(folder: string, name: string, args: readonly string[]): string {
  const file = join(folder, `${name}.pem`);
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    join(folder, `${name}.key`),
  ];
  execFileSync('openssl', ['req', '-x509', '-days', '2', '-subj', `/CN=${name}`, ...key, '-out', file, ...args], {
    stdio: 'ignore',
  });
  return file;
}

export interface TlsRedis {
  /** Encrypted; its certificate is for 127.0.0.1 alone. */
  readonly url: string;
  readonly server: TestRedis;
  /** The files: the authority that signed the server's certificate, and one that signed nothing. */
  readonly ca: string;
  readonly otherCa: string;
  readonly otherKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
  stop(): Promise<void>;
}

/** The files of a server whose certificate is for 127.0.0.1 alone, as its arguments, and the authority that signed it. */
export function serverFiles(folder: string): { readonly ca: string; readonly args: readonly string[] } {
  const ca = make(folder, 'ca', []);
  const signed = ['-CA', ca, '-CAkey', join(folder, 'ca.key'), '-addext', 'basicConstraints=critical,CA:FALSE'];
  const cert = make(folder, 'server', [...signed, '-addext', 'subjectAltName=IP:127.0.0.1']);
  const args = ['--tls-ca-cert-file', ca, '--tls-cert-file', cert, '--tls-key-file', join(folder, 'server.key')];
  return { ca, args };
}

/** A redis-server with an encrypted port; `clients`: whether it asks them for certificates. */
export async function startTlsRedis(clients: 'yes' | 'no'): Promise<TlsRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'stalesweep-tls-'));
  const { ca, args: files } = serverFiles(folder);
  const signed = ['-CA', ca, '-CAkey', join(folder, 'ca.key'), '-addext', 'basicConstraints=critical,CA:FALSE'];
  const clientCert = make(folder, 'client', signed);
  const port = await getPort({ host: '127.0.0.1' });
  const server = await startRedis(['--tls-port', `${port}`, '--tls-auth-clients', clients, ...files]);
  return {
    url: `rediss://127.0.0.1:${port}`,
    server,
    ca,
    otherCa: make(folder, 'other', []),
    otherKey: join(folder, 'other.key'),
    clientCert,
    clientKey: join(folder, 'client.key'),
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
