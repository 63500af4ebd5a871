/** npmStart: what `npm start` runs: `start` where a target is named, else `demo`. Its arguments are theirs. */
import { namesTarget } from './namesTarget.mjs';

const LOOK_EVERY_MS = 500;

const args = process.argv.slice(2);
process.argv.splice(2, 0, namesTarget(process.env, args) ? 'start' : 'demo');

// Whoever started this ended without a word, as by SIGKILL: nobody could end it any more.
const parent = process.ppid;
const watch = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(watch);
  process.kill(process.pid, 'SIGTERM');
}, LOOK_EVERY_MS);
watch.unref();

await import(new URL('../dist/src/cli/main.js', import.meta.url).href);
