/** plain: what others wrote, made fit for a line of a terminal. */

/** A text of others in one line, without what a terminal would obey. */
export function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}
