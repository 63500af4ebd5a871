/** project: the repository as the deployment files see it. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { createProgram } from '../../src/cli/program.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export function read(path: string): string {
  return readFileSync(ROOT + path, 'utf8');
}

/** YAML as Compose, Prometheus and Grafana read it: with merge keys. */
export function readYaml<T>(path: string): T {
  return parse(read(path), { merge: true }) as T;
}

export function exists(path: string): boolean {
  return existsSync(ROOT + path);
}

export const PACKAGE = JSON.parse(read('package.json')) as {
  name: string;
  version: string;
  description: string;
  license: string;
  scripts: Record<string, string>;
  bin: Record<string, string>;
};

export const CLI_COMMANDS: readonly string[] = createProgram().commands.map((command) => command.name());

/** Where a container finds the program, and which file it is built from. */
export const PROGRAM = { built: 'dist/src/cli/main.js', source: 'src/cli/main.ts' };
