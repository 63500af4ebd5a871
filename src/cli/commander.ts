/** commander: the library, loaded as the CommonJS that it is: `import` would first search its files for names to export. */
import { createRequire } from 'node:module';

type Commander = typeof import('commander');
export const { Argument, Command, CommanderError } = createRequire(import.meta.url)('commander') as Commander;
export type Command = import('commander').Command;
