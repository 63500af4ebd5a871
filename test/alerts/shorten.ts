/** shorten: the alert rules as they are, in a quicker time: every duration is divided by the same number, nothing else is changed. */
import { parse, stringify } from 'yaml';
import { textOf } from '../docs/kept.ts';

interface Rule {
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
}

interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

const MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /\b(\d+)([smhd])\b/g;
/** The one duration that is written as a number: three intervals, in seconds. The file's first lines name it. */
const THREE_INTERVALS = /> 900$/;

function shorter(text: string, factor: number): string {
  return text.replace(
    DURATION,
    (_, count: string, unit: keyof typeof MS) => `${Math.round((Number(count) * MS[unit]) / factor)}ms`,
  );
}

/** The rules of alerts.yml, as YAML. Those that they fire are told by the same names. */
export function shortenedRules(factor: number): string {
  const { groups } = parse(textOf('docs/monitoring/alerts.yml')) as Rules;
  return stringify({
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({
        ...rule,
        expr: shorter(rule.expr.trim().replace(THREE_INTERVALS, `> ${900 / factor}`), factor),
        ...(rule.for === undefined ? {} : { for: shorter(rule.for, factor) }),
      })),
    })),
  });
}

/** The names of all alerts. */
export const ALERTS: readonly string[] = (parse(textOf('docs/monitoring/alerts.yml')) as Rules).groups.flatMap(
  ({ rules }) => rules.flatMap(({ alert }) => alert ?? []),
);
