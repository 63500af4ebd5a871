/** copy: a replica as a run reads it: its connection, what is asked over it, and how large calls may be there.
 *  Owns      what must be known of a replica before it is read.
 *  Leaves    that it has caught up to freshness, which replica it is to find.
 */
import { redactUrl } from '../../config/values/redisUrl.ts';
import type { TargetConfig } from '../../config/resolve.ts';
import type { Address } from '../../config/values/tls.ts';
import { Rest } from '../call/rest.ts';
import type { Stopwatch } from '../call/stopwatch.ts';
import { type Calls, ServerCalls } from '../call/calls.ts';
import { type Info, keyspaceSizeOf, readInfo } from '../target/clock.ts';
import { explain } from '../connection/explain.ts';
import { Remover } from '../removal/remover.ts';
import { lanesFor, measureLatency } from '../pace/latency.ts';
import { Link } from '../target/link.ts';
import type { NodeWishes } from '../target/node.ts';
import { type Kind, Paces } from '../pace/paces.ts';
import { Patience } from '../target/patience.ts';
import type { Reader } from '../target/reader.ts';
import { CopyCalls } from './copyCalls.ts';
import { Freshness } from './freshness.ts';
import { type Original, toldOfWay } from './original.ts';

/** A replica that is behind is waited for so long. */
const MOST_WAIT_MS = 20_000;

export interface CopyParts {
  readonly settings: TargetConfig;
  readonly wishes: Pick<NodeWishes, 'signal' | 'warn' | 'leavesSilent' | 'part'>;
  readonly stopwatch: Stopwatch;
}

export class Copy implements Reader {
  readonly calls: Calls;
  /** How many calls may be under way at once. */
  readonly lanes: number;
  /** How many keys it held as the run began, roughly. */
  readonly keyspace: number;

  private constructor(
    private readonly address: Address,
    private readonly parts: CopyParts & { readonly link: Link; readonly patience: Patience },
    known: { readonly calls: CopyCalls; readonly info: Info; readonly freshness: Freshness },
    readonly paces: Paces,
  ) {
    this.calls = known.calls;
    this.lanes = lanesFor(parts.settings.nice, known.calls.latencyMs);
    this.keyspace = keyspaceSizeOf(known.info);
    this.#freshness = known.freshness;
  }

  readonly #freshness: Freshness;

  /**
   * Opens the replica at an address, and waits until it has caught up. Fails as connecting does, and with `UNREACHABLE` or `DENIED` where
   * it can't be read, or does not catch up.
   * @param waitMs how long it may take for that; left out: as long as ever
   */
  static async open(
    address: Address,
    original: Original,
    parts: CopyParts,
    waitMs: number = MOST_WAIT_MS,
  ): Promise<Copy> {
    const { settings, stopwatch, wishes } = parts;
    const { signal, warn, leavesSilent = false, part } = wishes;
    const link = await Link.open(address, signal);
    try {
      const raw = new ServerCalls(link.redis, new Rest(settings.nice), stopwatch);
      const patience = new Patience(link, raw, signal, leavesSilent);
      const steadily = async <T>(attempt: () => Promise<T>): Promise<T> => await patience.steadily(attempt);
      const name = redactUrl(address.url);
      const freshness = new Freshness({ original, copy: raw, name, signal, warn }, waitMs);
      await steadily(async () => await freshness.renew());
      freshness.mostWaitMs = MOST_WAIT_MS;
      // The library says it to each connection, and nothing when it is refused.
      if (address.isCopy) await steadily(async () => await raw.send('readonly', []));
      const remover = new Remover(raw, async () => await link.beside());
      await steadily(async () => await remover.prepare(settings, true, part));
      raw.latencyMs = await steadily(async () => await measureLatency(raw));
      const paces = new Paces(raw, settings, 1);
      await steadily(async () => await paces.begin());
      const info = await steadily(async () => await readInfo(raw));
      const calls = new CopyCalls(raw, original, freshness);
      return new Copy(address, { ...parts, link, patience }, { calls, info, freshness }, paces);
    } catch (error) {
      link.close();
      throw explain(error, { ...settings, url: address.url });
    }
  }

  /** Where it is, without a secret. */
  get at(): string {
    return redactUrl(this.address.url);
  }

  /** From here on it shows everything that its primary holds now. */
  async catchUp(): Promise<void> {
    await this.steadily('read', async () => await this.#freshness.renew());
  }

  /** As a node does; what is wrong with the way to it is said of the replica. */
  async steadily<T>(kind: Kind, attempt: () => Promise<T>): Promise<T> {
    const { patience, settings } = this.parts;
    try {
      return await patience.steadily(attempt, () => this.paces[kind].backOff());
    } catch (error) {
      throw toldOfWay(error, settings, this.address);
    }
  }

  close(): void {
    this.parts.link.close();
  }
}
