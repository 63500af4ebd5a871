import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, textOf } from '../docs/kept.ts';
import { FAULTS } from './faults.ts';
import { runbookOf } from './runbook.ts';
import { ALERTS } from './shorten.ts';

test('every alert has a fault that fires it, every page has commands, and every point that is tried stands there', () => {
  expect([...new Set(FAULTS.map(({ alert }) => alert))].sort()).toEqual([...ALERTS].sort());
  for (const { alert, point } of FAULTS) {
    const { look, mend } = runbookOf(alert);
    expect(look.length).toBeGreaterThan(0);
    expect([...mend.keys()]).toContain(point);
  }
});

test('every point that has commands is tried', () => {
  const tried = new Set(FAULTS.map(({ alert, point }) => `${alert}: ${point}`));
  const typed = ALERTS.flatMap((alert) =>
    [...runbookOf(alert).mend].filter(([, commands]) => commands.length > 0).map(([point]) => `${alert}: ${point}`),
  );
  expect(typed.length).toBeGreaterThan(10);
  expect(typed.filter((point) => !tried.has(point))).toEqual([]);
});

test.each(ALERTS)(
  'the page of %s says where to type, and names only units, deployments and services that there are',
  (alert) => {
    const page = textOf(`docs/runbooks/${alert}.md`);
    for (const place of [
      '/etc/stalesweep/stalesweep.env',
      'exec -it deploy/worker -- bash',
      'docker compose exec worker bash',
    ]) {
      expect(page).toContain(place);
    }
    const named = (pattern: RegExp): string[] => [...page.matchAll(pattern)].map(([, name = '']) => name);
    for (const unit of named(/systemctl\s+\w+\s+(stalesweep-\w+)/g)) {
      expect(existsSync(join(ROOT, 'deploy/systemd', `${unit}.service`)), unit).toBe(true);
    }
    for (const name of named(/\bdeploy\/(\w+)/g)) {
      expect(existsSync(join(ROOT, 'deploy/kubernetes', `${name}.yaml`)), name).toBe(true);
    }
    for (const service of named(/docker\s+compose\s+(?:exec|up -d|logs)\s+(\w+)/g)) {
      expect(textOf('docker-compose.yml'), service).toMatch(new RegExp(`^  ${service}:`, 'm'));
    }
  },
);
