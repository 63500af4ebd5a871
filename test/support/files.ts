/** files: what a test needs on disk, gone when it has ended. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty folder of the test's own. */
export const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), 'stalesweep-files-'));
  onTestFinished(async () => {
    await rm(made, { recursive: true, force: true });
  });
  return made;
};

/** A configuration file with this text. */
export const configFile = async (text: string): Promise<string> => {
  const name = join(await folder(), 'stalesweep.yaml');
  await writeFile(name, text);
  return name;
};
