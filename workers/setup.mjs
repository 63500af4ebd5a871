/** setup: what `npm start` and `npm test` need before anything else can run, on a machine with Node.js and nothing more.
 * Plain JavaScript without dependencies, since neither they nor the build may be there yet. Does only what is missing.
 *
 *   node workers/setup.mjs start|test|bench|picture
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { namesTarget } from './namesTarget.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/**
 * Tests drive the dashboard with a browser, check the alert rules with promtool, make certificates with openssl, and search a
 * model with spin, whose searches are compiled. */
const TOOLS = {
  start: ['redis-server'],
  test: ['redis-server', 'redis-cli', 'chromium', 'promtool', 'openssl', 'spin', 'cc', 'zsh', 'fish'],
  bench: ['redis-server', 'redis-cli'],
  picture: ['redis-server', 'chromium'],
};
/**
 * The script that builds it. Tests start what is built, the benchmark as well; theirs goes over everything, so that what is
 * checked next is known by then.
 */
const BUILDS = { start: 'build', test: 'build:test', bench: 'build:bench', picture: 'build:bench' };
/** What each is built from, besides the product and the settings. */
const BUILT_TOO = {
  build: [],
  'build:bench': ['test/bench', 'test/picture', 'test/support'],
  'build:test': ['test', 'vitest.config.ts', 'vitest.soak.config.ts'],
};

/** Which package brings a tool, wherever it has its usual name. */
const PACKAGES = {
  'redis-server': 'redis',
  'redis-cli': 'redis',
  chromium: 'chromium',
  promtool: 'prometheus',
  openssl: 'openssl',
  spin: 'spin',
  cc: 'gcc',
  zsh: 'zsh',
  fish: 'fish',
};

/** Which package manager brings them, and what it calls differently. */
const MANAGERS = [
  {
    name: 'apt-get',
    root: true,
    before: ['update', '-qq'],
    install: ['install', '-y', '-qq', '--no-install-recommends'],
    packages: { ...PACKAGES, 'redis-server': 'redis-server', 'redis-cli': 'redis-tools', cc: 'build-essential' },
  },
  {
    name: 'dnf',
    root: true,
    install: ['install', '-y', '-q'],
    packages: PACKAGES,
  },
  {
    name: 'apk',
    root: true,
    install: ['add', '--no-progress'],
    packages: PACKAGES,
  },
  {
    name: 'brew',
    root: false,
    install: ['install', '--quiet'],
    packages: PACKAGES,
  },
];

const stop = (sentence) => {
  console.error(`stalesweep: ${sentence}`);
  process.exit(1);
};

const find = (tool) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return statSync(join(folder, tool)).isFile();
    } catch {
      return false;
    }
  });

/** Runs a command; shows what it printed only when it fails. */
const run = (command, args, sentence, env = {}) => {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return;
  console.error([stdout, stderr, error?.message].filter(Boolean).join('\n').trim());
  stop(sentence);
};

const checkNode = () => {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const oldest = engines.node.replace('>=', '');
  const [least, leastMinor] = oldest.split('.').map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > least || (major === least && minor >= leastMinor)) return;
  stop(`Node.js ${process.versions.node} is too old; install ${oldest} or newer`);
};

/** Whether a package is one of those that are for some machines alone, and for this one. */
const isForHere = ({ os = [], cpu = [], libc = [] }, ownLibc) => {
  const fits = (named, here) => named.length === 0 || named.includes(here);
  return os.length + cpu.length > 0 && fits(os, process.platform) && fits(cpu, process.arch) && fits(libc, ownLibc);
};

/**
 * Whether `npm install` or `npm ci` has installed, on a machine like this one, all that the lockfile says: npm leaves a lockfile of what
 * it installed, and leaves out what is for other machines, with all that this needs.
 */
const isInstalled = () => {
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const packagesIn = (file) => Object.entries(JSON.parse(readFileSync(file, 'utf8')).packages);
  let there;
  try {
    there = new Map(packagesIn(installed));
  } catch {
    // Cut off, as where the disk was full: what it says is not known.
    return false;
  }
  const ownLibc = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
  return packagesIn(join(ROOT, 'package-lock.json')).every(([path, wanted]) => {
    const { version, integrity } = there.get(path) ?? {};
    if (path === '') return true;
    if (version === undefined) return wanted.optional === true && !isForHere(wanted, ownLibc);
    return version === wanted.version && integrity === wanted.integrity;
  });
};

/** Installs exactly what the lockfile says, and again only when the lockfile has changed. */
const installDependencies = () => {
  const wanted = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  const mark = join(ROOT, 'node_modules', '.stalesweep-lock');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return;
  if (lstatSync(join(ROOT, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    stop('node_modules is a link, and to install would empty what it leads to; run "npm ci" there, or remove the link');
  }
  if (!isInstalled()) {
    console.error('stalesweep: installing dependencies (once)');
    run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], 'npm ci failed; the lines above say why');
  }
  writeFileSync(mark, wanted);
};

const newest = (path) => {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
};

/** Builds when a source is newer than the last build. */
const build = (script) => {
  const mark = join(ROOT, 'dist', `.${script.replace(':', '-')}`);
  const kinds = ['', '.build', '.bench', '.types'];
  const settings = ['package.json', 'package-lock.json', ...kinds.map((kind) => `tsconfig${kind}.json`)];
  const sources = ['src', 'workers', ...settings, ...BUILT_TOO[script]];
  const changedAt = Math.max(...sources.map((name) => newest(join(ROOT, name))));
  if (existsSync(mark) && statSync(mark).mtimeMs > changedAt) return;
  console.error('stalesweep: building');
  run('npm', ['run', '--silent', script], 'the build failed; the lines above say why');
  mkdirSync(dirname(mark), { recursive: true });
  writeFileSync(mark, '');
};

const asRoot = (manager) => {
  if (!manager.root || process.getuid?.() === 0) return [];
  return find('sudo') && spawnSync('sudo', ['-n', 'true']).status === 0 ? ['sudo', '-n'] : null;
};

/** Brings missing tools by the system's package manager where that is allowed; else says how. */
const installTools = (tools, otherwise) => {
  const missing = tools.filter((tool) => !find(tool));
  if (missing.length === 0) return;
  const manager = MANAGERS.find(({ name }) => find(name));
  const list = missing.join(', ');
  if (manager === undefined) stop(`${list} not found; install ${missing.length > 1 ? 'them' : 'it'}${otherwise}`);
  const packages = [...new Set(missing.map((tool) => manager.packages[tool]))];
  const prefix = asRoot(manager);
  const command = `${manager.root ? 'sudo ' : ''}${manager.name} install ${packages.join(' ')}`;
  if (prefix === null) stop(`${list} not found; run "${command}"${otherwise}`);
  console.error(`stalesweep: installing ${packages.join(', ')} with ${manager.name} (once)`);
  const call = (args) => {
    const [first, ...rest] = [...prefix, manager.name, ...args];
    run(first, rest, `${list} could not be installed; run "${command}"${otherwise}`, {
      DEBIAN_FRONTEND: 'noninteractive',
    });
  };
  if (manager.before) call(manager.before);
  call([...manager.install, ...packages]);
  const left = missing.filter((tool) => !find(tool));
  if (left.length > 0) stop(`${left.join(', ')} still not found after installing ${packages.join(', ')}${otherwise}`);
  if (manager.name === 'apt-get' && packages.includes('redis-server') && find('systemctl'))
    console.error(
      'stalesweep: that package also starts a Redis at 127.0.0.1:6379, which is not used here; "sudo systemctl disable --now redis-server" ends it',
    );
};

const purpose = process.argv[2];
if (!(purpose in TOOLS)) stop('usage: node workers/setup.mjs start|test|bench|picture');
checkNode();
installDependencies();
build(BUILDS[purpose]);
const ownRedis = purpose === 'start' && namesTarget(process.env, process.argv.slice(3));
if (!ownRedis)
  installTools(TOOLS[purpose], purpose === 'start' ? ', or set REDIS_URL to a Redis that may be cleaned' : '');
