/** toTrash: the door to `lua/toTrash.lua`. */
import { Bulk } from './call/bulk.ts';
import { loadScript } from './call/script.ts';
import type { Trash } from './trash/names.ts';

export const TO_TRASH = loadScript('toTrash');

/**
 * What a call says that moves things of one slot to the trash, at most 256; it returns how many went.
 * @param aside what they are called now; let go of with the rest
 * @param own what they were called, for their names there
 */
export function spellToTrash(aside: Bulk, own: Bulk, trash: Trash): { readonly keys: Bulk; readonly args: Bulk } {
  const { names, ttls } = trash.send([own]);
  names.forEach((bytes, from, to) => {
    aside.add(bytes, from, to);
  });
  names.clear();
  aside.addText(ttls);
  return { keys: aside, args: Bulk.of([`${trash.keepMs}`]) };
}
