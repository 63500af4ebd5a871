/** demo: the settings of `demo`, in the form of a file: the environment and flags stand above them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where the demo's Redis keeps its record and its log, in the folder where the demo was started. */
export const DEMO_FOLDER = '.stalesweep';

/** The file there that says where it is, as long as it runs. */
export function demoRecordIn(folder: string): string {
  return join(folder, 'redis.json');
}

/** Who is protected in the demo. */
export const PROTECTED_ID = 'archivist';

/** So short that within two minutes somebody dies, is swept and comes back. */
const SETTINGS = `
staleAfter: 20s
minStaleAfter: 10s
every: 10s
protect: [${PROTECTED_ID}]
logLevel: error
trash: 1h
`;

export const DEMO_FILE = { name: 'the settings of the demo', text: SETTINGS } as const;

/** What names a Redis of the user's own: the demo never looks at one. */
export const TARGET_ENV = ['REDIS_URL', 'QUEUE_REDIS_URL', 'STALESWEEP_CONFIG'] as const;

/** Whether a demo may be running in this folder; whoever acts on it must see whether its Redis answers. */
export function isDemoHere(): boolean {
  return existsSync(demoRecordIn(DEMO_FOLDER));
}
