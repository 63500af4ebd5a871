/** overheard: what a server says to whoever comes, before it closes. A client that greets it may never read that: what it sends to a
 * connection that is closed already makes the system drop what had come. */
import { createConnection, type NetConnectOpts, type Socket } from 'node:net';
import { connect } from 'node:tls';
import type { Tls } from '../../config/values/tls.ts';

/** Whoever has something to say on its own says it at once. */
const LISTEN_MS = 500;

/** Why a server that closes connections can't be used, where it says so unasked; `null` where it does not. Never rejects. */
export async function overhear(address: NetConnectOpts): Promise<string | null> {
  return await listen(createConnection(address), lastWords, () => null);
}

/** With what error a server that speaks TLS closes connections; `null` where it does not say. Never rejects. */
export async function overhearTls(address: NetConnectOpts, tls: Tls | undefined): Promise<Error | null> {
  let socket: Socket;
  try {
    socket = connect({ ...address, ...tls });
  } catch {
    return null;
  }
  return await listen(
    socket,
    () => null,
    (error) => error,
  );
}

async function listen<T>(
  socket: Socket,
  ofWords: (text: string) => T,
  ofError: (error: Error) => T,
): Promise<T | null> {
  return await new Promise((resolve) => {
    const end = (heard: T | null) => {
      resolve(heard);
      socket.destroy();
    };
    socket.setTimeout(LISTEN_MS, () => end(null));
    socket.once('data', (bytes) => end(ofWords(String(bytes))));
    socket.on('error', (error) => end(ofError(error)));
    socket.once('close', () => end(null));
  });
}

/** What a server says on its own before it closes, where that is why it can't be used; `null` for anything else. */
export function lastWords(text: string): string | null {
  const [, refusal] = /^-(?:ERR )?((?:max number of clients|DENIED )[^.\r\n]*)/.exec(text) ?? [];
  if (refusal !== undefined) return `it says: ${refusal}`;
  const [, protocol] = /^(HTTP|SSH)[/-]/.exec(text) ?? [];
  return protocol === undefined ? null : `what answers there speaks ${protocol}; it is no Redis`;
}
