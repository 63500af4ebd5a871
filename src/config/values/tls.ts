/** tls: the certificates for `rediss://`, from the files that the settings name, as they are when a connection begins. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Failure } from '../../domain/failure.ts';
import { readText } from '../file/readText.ts';
import type { ProcessValues } from '../settings/processSettings.ts';
import type { SentinelEntry } from '../settings/sentinel.ts';

/**
 * Certificates and a key, as PEM. What is missing: nobody but the usual authorities is trusted, and no certificate shown. Those of files are
 * read anew as they are asked for: hand the object on, do not copy what it says.
 */
export interface Tls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Where a Redis is, and how it proves who it is. */
export interface Address {
  readonly url: string;
  /** Used only when the URL is `rediss://`. */
  readonly tls?: Tls | undefined;
  /** As whom to ask the sentinels that the URL names. */
  readonly sentinel?: SentinelEntry | undefined;
  /** Whether it is a replica in a cluster, which serves what it copies to whoever says that this will do (READONLY). */
  readonly isCopy?: boolean;
}

/** What a certificate or key file must hold; throws at anything else. */
const CHECKS: Readonly<Record<keyof Tls, (pem: string) => unknown>> = {
  ca: (pem) => new X509Certificate(pem),
  cert: (pem) => new X509Certificate(pem),
  key: (pem) => createPrivateKey(pem),
};
const WANTED: Readonly<Record<keyof Tls, string>> = {
  ca: 'a certificate',
  cert: 'a certificate',
  key: 'a private key without a passphrase',
};

function read(setting: string, part: keyof Tls, file: string): string {
  const pem = readText(file, `${setting}: the file ${file}`);
  try {
    CHECKS[part](pem);
  } catch (cause) {
    throw new Failure('CONFIG', `${setting}: the file ${file} does not hold ${WANTED[part]} as PEM`, { cause });
  }
  return pem;
}

type Files = Partial<Pick<ProcessValues, 'tlsCa' | 'tlsCert' | 'tlsKey'>>;

function readAll({ tlsCa, tlsCert, tlsKey }: Files): Tls {
  const tls = {
    ...(tlsCa === undefined ? {} : { ca: read('STALESWEEP_TLS_CA', 'ca', tlsCa) }),
    ...(tlsCert === undefined ? {} : { cert: read('STALESWEEP_TLS_CERT', 'cert', tlsCert) }),
    ...(tlsKey === undefined ? {} : { key: read('STALESWEEP_TLS_KEY', 'key', tlsKey) }),
  };
  if (tls.cert !== undefined && tls.key !== undefined) {
    if (!new X509Certificate(tls.cert).checkPrivateKey(createPrivateKey(tls.key)))
      throw new Failure('CONFIG', `STALESWEEP_TLS_KEY: the file ${tlsKey} does not hold the key of ${tlsCert}`);
  }
  return tls;
}

/**
 * Reads the files; `undefined` when none is set. Fails (`CONFIG`) when one can't be used, or stands without its other half. Whoever asks
 * for a part later gets what the files hold then; where that can't be used, or is replaced only by half, what they held before.
 */
export function readTls(files: Files): Tls | undefined {
  const { tlsCa, tlsCert, tlsKey } = files;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new Failure('CONFIG', 'STALESWEEP_TLS_CERT and STALESWEEP_TLS_KEY belong together; set both or neither');
  }
  if (tlsCa === undefined && tlsCert === undefined) return undefined;
  let last = readAll(files);
  let isFresh = false;
  const now = (): Tls => {
    if (isFresh) return last;
    // Parts that are asked for in one breath fit each other.
    isFresh = true;
    queueMicrotask(() => {
      isFresh = false;
    });
    try {
      last = readAll(files);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
    return last;
  };
  const parts = (Object.keys(last) as (keyof Tls)[]).map((part) => [
    part,
    { enumerable: true, get: () => now()[part] },
  ]);
  return Object.defineProperties({}, Object.fromEntries(parts)) as Tls;
}
