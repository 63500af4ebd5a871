/** announce: the door to `lua/announce.lua`. */
import { type Announced, type Announcement, headOf, partOf, TAIL } from './removal/announcement.ts';
import { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript } from './call/script.ts';

const SCRIPT = loadScript('announce');

/** So long it stays known of whom it was said, in ms: longer than until a killed run is taken up again. */
const KNOWN_MS = 24 * 60 * 60 * 1000;

/** One of whom it is said, and the key, in the stream's slot, that says that it was. */
export interface Marked {
  readonly coordinator: Announced;
  readonly mark: string;
}

/** Says it in a stream, of each once; resolves to of how many it was said now. At most 400 at once. */
export async function announce(
  calls: Calls,
  where: { readonly stream: string; readonly maxLength: number },
  announcement: Announcement,
  marked: readonly Marked[],
): Promise<number> {
  const keys = Bulk.of([where.stream, ...marked.map(({ mark }) => mark)]);
  const parts = marked.map(({ coordinator }) => partOf(coordinator));
  const { reply } = await callScript(
    calls,
    SCRIPT,
    [keys],
    [where.maxLength, headOf(announcement), TAIL, KNOWN_MS, ...parts],
  );
  keys.clear();
  return Number(reply);
}
