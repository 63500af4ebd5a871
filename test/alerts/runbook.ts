/** runbook: an alert's page, and what somebody does who has nothing but that page: its commands, as they stand, in their order. */
import { textOf } from '../docs/kept.ts';

export interface Runbook {
  /** The commands under "Look". */
  readonly look: readonly string[];
  /** What to do, by the words in bold with which each of its points begins; a point may have no command at all. */
  readonly mend: ReadonlyMap<string, readonly string[]>;
  /** What makes the alert end at once: the commands in the page's last words. */
  readonly atOnce: readonly string[];
}

const BLOCK = /^ *```sh\n([\s\S]*?)^ *```$/gm;

function commandsIn(text: string): string[] {
  return [...text.matchAll(BLOCK)].flatMap(([, block = '']) =>
    block
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#')),
  );
}

/** Reads `docs/runbooks/<alert>.md`. */
export function runbookOf(alert: string): Runbook {
  const page = textOf(`docs/runbooks/${alert}.md`);
  const [, look = '', mend = ''] = /\n## Look\n([\s\S]*)\n## Mend\n([\s\S]*)$/.exec(page) ?? [];
  const [points = '', ends = ''] = mend.split(/^(?=It ends )/m);
  return {
    look: commandsIn(look),
    atOnce: [...ends.matchAll(/`(stalesweep [^`]+)`/g)].map(([, line = '']) => line),
    mend: new Map(
      points
        .split(/^- /m)
        .slice(1)
        .map((point) => [/^\*\*(.+?)[.:]\*\*/.exec(point)?.[1] ?? point, commandsIn(point)]),
    ),
  };
}
