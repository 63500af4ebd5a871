import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { ROOT } from '../docs/kept.ts';

const PROGRAM = `
  const { createLogger } = await import('${ROOT}/dist/src/log/logger.js');
  createLogger('info').info({ run: '7', config: { targets: [{ name: 'default' }], password: 'hush' } }, 'run ended');
`;

test('on a terminal each entry of the log is one line, and holds no secret', () => {
  const env = { ...process.env, NO_COLOR: '1', PROGRAM };
  const typed = `"${process.execPath}" --input-type=module -e "$PROGRAM"`;
  const shown = execFileSync('script', ['-qec', typed, '/dev/null'], { env, encoding: 'utf8', stdio: 'pipe' });
  const said = '{"run":"7","config":{"targets":[{"name":"default"}],"password":"***"}}';
  expect(shown.replace(/^\[[\d:]+\] /, '').trim()).toBe(`INFO: run ended ${said}`);
});
