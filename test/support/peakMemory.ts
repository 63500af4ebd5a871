/** peak memory: the most memory (RSS) a process ever held, in bytes, as the system has it. */
import { existsSync, readFileSync } from 'node:fs';

const STATUS = '/proc/self/status';

function parse(status: string): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** This process' so far. Linux hands the parent's peak down to `resourceUsage`, so its own account is asked first. */
export function peakMemoryBytes(): number {
  return existsSync(STATUS) ? parse(readFileSync(STATUS, 'utf8')) : process.resourceUsage().maxRSS * 1024;
}

/** The environment in which a Node.js process writes its own into this file as it ends, for `toldPeakBytes`. */
export function tellingPeak(file: string): Record<string, string> {
  const module = `import { existsSync, readFileSync, writeFileSync } from 'node:fs';
    const own = () => existsSync('${STATUS}')
      ? readFileSync('${STATUS}', 'utf8')
      : 'VmHWM: ' + process.resourceUsage().maxRSS + ' kB';
    process.on('exit', () => writeFileSync(${JSON.stringify(file)}, own()));`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(module)}` };
}

/** What a process wrote that ran with `tellingPeak`; fails when it has not ended by itself. */
export function toldPeakBytes(file: string): number {
  return parse(readFileSync(file, 'utf8'));
}
