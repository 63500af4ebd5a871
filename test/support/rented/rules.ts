/** rules: what services do with commands, each by itself; services put them together. */
import { createHash } from 'node:crypto';
import { bulk } from './resp.ts';
import type { Rule, Verdict } from './proxy.ts';

function refusal(text: string): Verdict {
  return { answer: `-${text}\r\n` };
}

/** The first rule that does anything decides. */
export function all(...rules: readonly Rule[]): Rule {
  return (command) => {
    for (const rule of rules) {
      const verdict = rule(command);
      if (verdict !== 'pass') return verdict;
    }
    return 'pass';
  };
}

/** These commands, or commands with their first argument (`OBJECT REFCOUNT`), are taken from nobody. */
export function without(names: readonly string[], says = (name: string) => `ERR unknown command '${name}'`): Rule {
  return ([name = '', first = '']) =>
    names.includes(name) || names.includes(`${name} ${first.toUpperCase()}`)
      ? refusal(says(name.toLowerCase()))
      : 'pass';
}

/** A server that speaks RESP 2 alone, as everything here does. */
export const RESP2: Rule = without(['HELLO']);

/** INFO tells these fields, and no others, of a server that has been up for a day. */
export function infoOf(fields: readonly string[]): Rule {
  return ([name]) => {
    if (name !== 'INFO') return 'pass';
    const known = (line: string) => line.startsWith('#') || fields.some((field) => line.startsWith(`${field}:`));
    return {
      change: (reply) => {
        const text = reply.slice(reply.indexOf('\r\n') + 2);
        const left = text.split('\r\n').filter(known).join('\r\n');
        return bulk(left.replace(/^uptime_in_seconds:\d+/m, 'uptime_in_seconds:86400'));
      },
    };
  };
}

/** A script that was loaded is known to every second call, as where calls go to one of two behind the same name. */
export function forgetfulOfScripts(): Rule {
  let calls = 0;
  return ([name]) =>
    name === 'EVALSHA' && calls++ % 2 === 0 ? refusal('NOSCRIPT No matching script. Please use EVAL.') : 'pass';
}

/** Scripts name their keys as `KEYS[…]` right where they call a command, and have at least one. */
export function literalKeys(): Rule {
  const known = new Set<string>();
  return ([name, script = '', keys]) => {
    if (name === 'EVALSHA')
      return known.has(script) ? 'pass' : refusal('NOSCRIPT No matching script. Please use EVAL.');
    if (name !== 'EVAL') return 'pass';
    if (Number(keys) <= 0)
      return refusal("ERR for redis cluster, eval/evalsha number of keys can't be negative or zero");
    const [calls, literal] = [/redis\.p?call\(\s*'/g, /redis\.p?call\(\s*'[A-Z]+'(?:, '[A-Z]+')?, KEYS\[/g];
    const count = (pattern: RegExp) => script.match(pattern)?.length ?? 0;
    if (count(calls) > count(literal)) {
      return refusal(
        'ERR bad lua script for redis cluster, all the keys that the script uses should be passed using the KEYS array',
      );
    }
    known.add(createHash('sha1').update(script, 'latin1').digest('hex'));
    return 'pass';
  };
}

/** Several servers behind one name: what is done in one step must lie on one of them. */
export function spread(names: readonly string[]): Rule {
  return ([name = '', ...args]) => {
    const keys = /^EVAL/.test(name) ? args.slice(2, 2 + Number(args[1])) : args;
    return names.includes(name) && new Set(keys).size > 1
      ? refusal("CROSSSLOT Keys in request don't hash to the same slot")
      : 'pass';
  };
}

/** SCAN's cursor is the number of the page: it never comes to an end, and no key comes. */
export function endlessScan(): Rule {
  let pages = 0;
  return ([name]) => (name === 'SCAN' ? { answer: `*2\r\n${bulk(String(++pages))}*0\r\n` } : 'pass');
}

/** SCAN's cursor is always the same once the first page has come. */
export const stuckScan: Rule = ([name]) =>
  name === 'SCAN' ? { change: (reply) => reply.replace(/^\*2\r\n\$\d+\r\n\d+\r\n/, `*2\r\n${bulk('17')}`) } : 'pass';

/** Another cursor of three again and again, with the keys of the first page. */
export function circlingScan(): Rule {
  let pages = 0;
  return ([name]) =>
    name === 'SCAN'
      ? { change: (reply) => reply.replace(/^\*2\r\n\$\d+\r\n\d+\r\n/, `*2\r\n${bulk(String((pages++ % 3) + 1))}`) }
      : 'pass';
}

/** A call of more arguments than this, its name among them, or of more bytes, is refused before Redis sees it. */
export function requestsUpTo(most: { readonly args?: number; readonly bytes?: number }, says: string): Rule {
  return (command) => {
    const bytes = command.reduce((sum, arg) => sum + arg.length, 0);
    const { args = Number.POSITIVE_INFINITY, bytes: mostBytes = Number.POSITIVE_INFINITY } = most;
    return command.length > args || bytes > mostBytes ? refusal(says) : 'pass';
  };
}

/** A reply of more bytes, or of more elements, is not let through: what was asked has been done. */
export function repliesUpTo(most: { readonly elements?: number; readonly bytes?: number }, says: string): Rule {
  const { elements = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = most;
  return ([name = '']) =>
    name === 'INFO'
      ? 'pass'
      : { change: (reply) => (reply.length > bytes || elementsIn(reply) > elements ? `-${says}\r\n` : reply) };
}

function elementsIn(reply: string): number {
  return reply.match(/^(?:\$-?\d+|:-?\d+|\+|_)/gm)?.length ?? 0;
}
