#!/usr/bin/env node
/** The command line. Standard output carries reports and lists, and nothing else; all other words go to stderr. */
import { answer } from './answer.ts';

// A reader that has seen enough (`| head`) closes the pipe: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await answer(process.argv.slice(2));
