/** sentinels: what those say that an address names, and whether they could fail over. */
import type { Address } from '../config/values/tls.ts';
import { askSentinels } from '../redis/connection/sentinel.ts';
import type { Finding } from './finding.ts';

type Told = Omit<Finding, 'target'>;

const check = 'sentinels';

/** Asks them all; no finding for an address that names none. */
export async function checkSentinels(address: Address): Promise<readonly Told[]> {
  const asked = await askSentinels(address);
  const answers = asked.flatMap(({ told }) => (told instanceof Error ? [] : [told]));
  const [first] = answers;
  if (first === undefined) return [];
  const primaries = [...new Set(answers.map((told) => `${told.get('ip')}:${told.get('port')}`))];
  const replicas = Math.max(...answers.map((told) => Number(told.get('num-slaves') ?? 0)));
  const message = `${answers.length} of ${asked.length} answer; the primary is ${primaries[0]}, with ${replicas} replica${replicas === 1 ? '' : 's'}; ${first.get('quorum')} must agree that it is down`;
  const findings: Told[] = [{ check, status: 'ok', message, advice: null }];
  for (const { at, told } of asked) {
    if (!(told instanceof Error)) continue;
    const advice = 'start it, or take it out of the URL; users of its own stand under sentinel';
    findings.push({ check, status: 'warning', message: `${at} does not answer: ${told.message}`, advice });
  }
  if (primaries.length > 1) {
    const differ = `they name different primaries: ${primaries.join(', ')}`;
    findings.push({
      check,
      status: 'warning',
      message: differ,
      advice: 'wait until a failover has ended, or see why not',
    });
  }
  if (replicas === 0) {
    const alone = 'the primary has no replica: nothing can take over';
    findings.push({ check, status: 'warning', message: alone, advice: 'connect a replica' });
  }
  return findings;
}
