import { expect, test } from 'vitest';
import { answerCodeOf, isForMemory } from '../../src/redis/call/answerCode.ts';
import { unreadyIn } from '../../src/redis/connection/unready.ts';
import {
  isKeyRefusal,
  isRefusedInScript,
  isUntaken,
  refusedCommandIn,
  saidIn,
} from '../../src/redis/rights/refusals.ts';

/** As ioredis has what a server answers. */
function answer(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

/** As Redis 6.0.16, 7.0.15 and 8.0.6 say it, asked in November 2026. */
const BEFORE_7 = 'ERR Error running script (call to f_caeeee01384f6b04384c56d69c27aa65287fb306): @user_script:1: ';
const IN_SCRIPT = ' script: caeeee01384f6b04384c56d69c27aa65287fb306, on @user_script:1.';

test.each([
  ["NOPERM this user has no permissions to run the 'set' command or its subcommand", 'set'],
  ["NOPERM this user has no permissions to run the 'set' command", 'set'],
  ["NOPERM User a has no permissions to run the 'object|idletime' command", 'object|idletime'],
  [`ERR ACL failure in script: User a has no permissions to run the 'set' command${IN_SCRIPT}`, 'set'],
])('%s: the command is told', (said, command) => {
  expect(refusedCommandIn(answer(said))).toBe(command);
  expect(isKeyRefusal(answer(said))).toBe(false);
  expect(isUntaken(answer(said)), 'others may').toBe(false);
});

test.each([
  'NOPERM this user has no permissions to access one of the keys used as arguments',
  'NOPERM No permissions to access a key',
  `ERR ACL failure in script: No permissions to access a key${IN_SCRIPT}`,
])('%s: a key is meant', (said) => {
  expect(isKeyRefusal(answer(said))).toBe(true);
  expect(refusedCommandIn(answer(said))).toBeNull();
  expect(isUntaken(answer(said)), 'others may').toBe(false);
});

test.each([
  `${BEFORE_7}@user_script: 1: The user executing the script can't run this command or subcommand`,
  `ERR The user executing the script can't run this command or subcommand${IN_SCRIPT}`,
  `ERR The user executing the script can't publish to the channel mentioned in the command${IN_SCRIPT}`,
  `ERR ACL failure in script: No permissions to access a channel${IN_SCRIPT}`,
])('%s: something in a script is meant, and nobody knows what', (said) => {
  expect(isRefusedInScript(answer(said))).toBe(true);
  expect(isKeyRefusal(answer(said))).toBe(false);
  expect(isUntaken(answer(said)), 'others may').toBe(false);
  expect(saidIn(answer(said))).toMatch(/^(?:ERR |The user )[^@]*$/);
});

test.each([
  "OOM command not allowed when used memory > 'maxmemory'.",
  `OOM command not allowed when used memory > 'maxmemory'.${IN_SCRIPT}`,
  `${BEFORE_7}@user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.`,
  "@user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.",
])('%s: memory is full', (said) => {
  expect(isForMemory(answer(said))).toBe(true);
  expect(isUntaken(answer(said)), 'there may be room in a moment').toBe(false);
  expect(saidIn(answer(said))).toBe("OOM command not allowed when used memory > 'maxmemory'");
});

test.each(['READONLY', 'MISCONF', 'NOREPLICAS', 'CLUSTERDOWN'])('%s is that in a script of any version', (code) => {
  for (const said of [
    `${code} so it is.`,
    `${code} so it is.${IN_SCRIPT}`,
    `${BEFORE_7}@user_script: 1: -${code} so it is.`,
  ]) {
    expect(answerCodeOf(answer(said))).toBe(code);
    expect(unreadyIn(answer(said))).not.toBeNull();
    expect(isUntaken(answer(said))).toBe(false);
  }
});
