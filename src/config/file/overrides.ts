/** overrides: what the environment changes behind the back of a configuration file. It is meant to win, yet a variable that
 * somebody forgot has set a threshold of 30 minutes to 2, and cleaned a Redis that the file does not name. */
import type { Level } from '../settings/setting.ts';
import { TARGET_SETTINGS } from '../settings/settings.ts';
import { redactUrl } from '../values/redisUrl.ts';
import type { FileValues } from './file.ts';

type FileTargets = NonNullable<FileValues['targets']>;

/** What replaces each other; everything else is overridden by itself alone. */
const TIMING = ['every', 'cron'] as const;

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function listed(names: readonly string[]): string {
  return `target${names.length === 1 ? '' : 's'} ${names.map((name) => `"${name}"`).join(', ')}`;
}

/**
 * Says, a sentence each, which variables override what targets of the file `name` set for themselves, and whether `url`, from the
 * environment, is cleaned beside them.
 * @param fromEnv the target settings that the environment has
 */
export function overridesOf(
  name: string,
  targets: FileTargets,
  fromEnv: Level,
  url: string | undefined,
): readonly string[] {
  const said: string[] = [];
  for (const [setting, value] of Object.entries(fromEnv)) {
    const { env } = TARGET_SETTINGS[setting as keyof typeof TARGET_SETTINGS] as { readonly env?: string };
    const rivals = TIMING.some((one) => one === setting) ? TIMING : [setting as keyof typeof TARGET_SETTINGS];
    for (const rival of rivals) {
      const changed = Object.entries(targets).filter(
        ([, own]) => own[rival] !== undefined && !(rival === setting && isSame(own[rival], value)),
      );
      if (changed.length === 0) continue;
      said.push(`${env} overrides the ${rival} that ${name} sets for ${listed(changed.map(([target]) => target))}`);
    }
  }
  if (!url) return said;
  const own = targets.default;
  if (own?.url !== undefined && own.url !== url) {
    said.push(`REDIS_URL overrides the url that ${name} sets for target "default"`);
  } else if (own === undefined && Object.keys(targets).length > 0) {
    said.push(
      `REDIS_URL adds a target "default" (${redactUrl(url)}) to those of ${name}; unset it to clean only these`,
    );
  }
  return said;
}
