/** npmStart: what `npm start` runs: `start` where a target is named, else `demo`. Its arguments are theirs. */
import { namesTarget } from './namesTarget.mjs';

const args = process.argv.slice(2);
process.argv.splice(2, 0, namesTarget(process.env, args) ? 'start' : 'demo');
await import(new URL('../dist/src/cli/main.js', import.meta.url).href);
