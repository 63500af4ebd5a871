import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { type Described, describeCommands, describeProgram } from '../../src/cli/shell/describe.ts';
import { manualPage } from '../../src/cli/shell/manual.ts';
import { documentSettings } from '../../src/config/settings/document.ts';
import { EXIT_CODES } from '../../src/domain/failure.ts';
import { WHY_SAYS } from '../../src/domain/heartbeat.ts';
import { Metrics } from '../../src/metrics/registry.ts';
import { expectBlock, expectFile, markdownTable, membersOf, ROOT } from './kept.ts';

const program = createProgram();
function code(text: string): string {
  return `\`${text}\``;
}

test('the manual page is what the program says', () => {
  const { version } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as { version: string };
  expectFile('man/stalesweep.1', manualPage(describeProgram(program), describeCommands(program), version));
});

test('every setting stands in the reference', () => {
  expectBlock('docs/reference/configuration.md', 'settings', documentSettings());
});

function sectionOf({ name, args, about, options }: Described): string {
  const rows = options.map(({ long, short, value, about: what }) => {
    const flag = [short, long].filter((one) => one !== undefined).join(', ');
    return [code(value === null ? flag : `${flag} <${value}>`), what];
  });
  return `## ${name}\n\n\`${['stalesweep', name, ...args].join(' ')}\`: ${about}\n\n${markdownTable(['flag', 'does'], rows)}`;
}

test('every command and flag stands in the reference', () => {
  expectBlock('docs/reference/commands.md', 'commands', describeCommands(program).map(sectionOf).join('\n\n'));
});

test('every metric of stalesweep stands in the reference', async () => {
  const { registry } = new Metrics();
  const ours = (await registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('stalesweep_'));
  const labelsOf = (name: string): readonly string[] =>
    (registry.getSingleMetric(name) as unknown as { labelNames: readonly string[] }).labelNames;
  const rows = ours.map(({ name, type, help }) => [
    code(name),
    type as unknown as string,
    labelsOf(name).map(code).join(', '),
    help,
  ]);
  expectBlock('docs/reference/metrics.md', 'metrics', markdownTable(['metric', 'type', 'labels', 'says'], rows));
});

/** What a report is made of, by where it stands. */
const REPORT = [
  ['', 'src/domain/report.ts', 'export interface Report {'],
  ['coordinators.', 'src/domain/report.ts', 'export interface CoordinatorCounts {'],
  ['keys.', 'src/domain/report.ts', 'export interface KeyCounts {'],
] as const;

test('every field of a report stands in the reference, with what it means', () => {
  const fields = REPORT.flatMap(([path, file, opening]) =>
    membersOf(file, opening).map(({ name, about }) => ({ name: `${path}${name}`, about })),
  );
  expect(fields.filter(({ about }) => about === '')).toEqual([]);
  const rows = fields.map(({ name, about }) => [code(name), about]);
  expectBlock('docs/reference/report.md', 'fields', markdownTable(['field', 'means'], rows));
  const whys = Object.entries(WHY_SAYS).map(([why, says]) => [code(why), `a heartbeat that ${says}`]);
  expectBlock('docs/reference/report.md', 'unreadable', markdownTable(['`why`', 'means'], whys));
});

test('every error code stands in the reference, with its exit code and what it means', () => {
  const codes = membersOf('src/domain/failure.ts', 'export const EXIT_CODES = {');
  expect(codes.map(({ name }) => name)).toEqual(Object.keys(EXIT_CODES));
  expect(codes.filter(({ about }) => about === '')).toEqual([]);
  const rows = codes.map(({ name, about }) => [code(name), String(EXIT_CODES[name as keyof typeof EXIT_CODES]), about]);
  expectBlock('docs/reference/errors.md', 'errors', markdownTable(['code', 'exit code', 'means'], rows));
});
