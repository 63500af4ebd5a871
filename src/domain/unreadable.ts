/** unreadable: the heartbeats that could not be judged, counted and sampled by reason (P4). */
import { WHYS, type Why } from './heartbeat.ts';
import { textOf } from './nameText.ts';
import { UNREADABLE_SAMPLE, type UnreadableGroup } from './report.ts';

export class Unreadable {
  /** @param most names kept for each reason */
  constructor(private readonly most = UNREADABLE_SAMPLE) {}

  readonly #byWhy = new Map<Why, { count: number; readonly sample: string[] }>();

  /** Counts one; a name that is in the sample already counts again, but is named once. */
  add(why: Why, key: Buffer): void {
    let group = this.#byWhy.get(why);
    if (group === undefined) {
      group = { count: 0, sample: [] };
      this.#byWhy.set(why, group);
    }
    group.count++;
    if (group.sample.length >= this.most) return;
    const name = textOf(key);
    if (!group.sample.includes(name)) group.sample.push(name);
  }

  /** As the report has them. */
  get groups(): readonly UnreadableGroup[] {
    return WHYS.flatMap((why) => {
      const group = this.#byWhy.get(why);
      return group === undefined ? [] : [{ why, count: group.count, sample: [...group.sample] }];
    });
  }
}
