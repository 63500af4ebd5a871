/** announce: the door to `lua/announce.lua`. */
import { type Announced, type Announcement, headOf, knownIn, partOf, TAIL, tokenOf } from './removal/announcement.ts';
import { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript } from './call/script.ts';

const SCRIPT = loadScript('announce');

/** One of whom it is said. */
export interface Marked {
  readonly coordinator: Announced;
  /** What stands for it where it was said: where that is known, it is not said again. */
  readonly token: string;
}

/**
 * Says it of each once, and that it was, where the sets of this announcement lie; resolves to of how many it was said now. At most 400 at
 * once.
 */
export async function announce(calls: Calls, announcement: Announcement, marked: readonly Marked[]): Promise<number> {
  const { where } = announcement;
  const { sets, ms } = knownIn(announcement);
  const [channel, most, stream] = 'channel' in where ? [where.channel, 0, []] : ['', where.maxLength, [where.stream]];
  const keys = Bulk.of([...sets, `${sets[0]}:none`, ...stream]);
  const parts = marked.flatMap(({ coordinator, token }) => [token, tokenOf(coordinator), partOf(coordinator)]);
  const { reply } = await callScript(calls, SCRIPT, [keys], [channel, most, headOf(announcement), TAIL, ms, ...parts]);
  keys.clear();
  return Number(reply);
}
