/** writing: sample coordinators, written to whichever node serves them. Never part of a run. */
import type { TargetConfig } from '../../config/resolve.ts';
import { Rest } from '../call/rest.ts';
import { Stopwatch } from '../call/stopwatch.ts';
import type { Writing, Written } from '../sample/writing.ts';
import { Link } from '../target/link.ts';
import { each } from './calls/each.ts';
import { RoutedCalls } from './calls/routedCalls.ts';
import { slotOf } from './calls/slots.ts';
import { Members } from './nodes/members.ts';

export class ClusterWriting implements Writing {
  private constructor(
    private readonly members: Members,
    private readonly calls: RoutedCalls,
  ) {}

  /** Opens all nodes that own slots. Fails as opening them for a run does. */
  static async open(settings: TargetConfig): Promise<ClusterWriting> {
    const { signal } = new AbortController();
    const [rest, stopwatch] = [new Rest(settings.nice), new Stopwatch()];
    const seed = await Link.open(settings, signal);
    try {
      const wishes = { dryRun: true, signal, warn: () => {} };
      const members = await Members.open(seed, { settings, wishes, rest, stopwatch });
      return new ClusterWriting(members, new RoutedCalls(members, rest, stopwatch));
    } finally {
      seed.close();
    }
  }

  async seconds(): Promise<number> {
    return Math.min(...this.members.nodes.map(({ clock }) => clock.nowSeconds));
  }

  async size(): Promise<number> {
    const sizes = this.members.nodes.map(async ({ calls }) => Number((await calls.send('dbsize', [])).reply));
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }

  async write(things: readonly Written[]): Promise<void> {
    const left = await this.calls.inBursts(things, ({ key }) => slotOf(key), {
      name: 'set',
      spell: (burst, { key, value, ttlMs }) => {
        burst.open(ttlMs === null ? 2 : 4);
        burst.commands.add(key);
        burst.commands.add(Buffer.from(value));
        for (const word of lifeOf(ttlMs)) burst.commands.addText(`${word}`);
      },
      take: (_, reply) => !(reply instanceof Error),
    });
    // What is elsewhere by now; or the error of Redis.
    await each(left, async ({ key, value, ttlMs }) => {
      const text = Buffer.from(value).toString('latin1');
      await this.calls.send('set', [key.toString('latin1'), text, ...lifeOf(ttlMs)]);
    });
  }

  close(): void {
    this.members.close();
  }
}

function lifeOf(ttlMs: number | null): readonly (string | number)[] {
  return ttlMs === null ? [] : ['PX', ttlMs];
}
