/** overheard: what a server says to whoever comes, before it closes. A client that greets it may never read that: what it sends to a
 * connection that is closed already makes the system drop what had come. */
import { createConnection, type NetConnectOpts } from 'node:net';

/** Whoever has something to say on its own says it at once. */
const LISTEN_MS = 500;

/** Why a server that closes connections can't be used, where it says so unasked; `null` where it does not. Never rejects. */
export async function overhear(address: NetConnectOpts): Promise<string | null> {
  return await new Promise((resolve) => {
    const socket = createConnection(address);
    const end = (words: string | null) => {
      resolve(words);
      socket.destroy();
    };
    socket.setTimeout(LISTEN_MS, () => end(null));
    socket.once('data', (bytes) => end(lastWords(String(bytes))));
    socket.once('error', () => end(null));
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
