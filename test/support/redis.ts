/** redis: a private redis-server for one test file. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import getPort from 'get-port';
import { Redis } from 'ioredis';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** A connection that is closed with the server. */
  redis(): Redis;
  stop(): Promise<void>;
}

export const startRedis = async (...args: string[]): Promise<TestRedis> => {
  const port = await getPort({ host: '127.0.0.1' });
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', '/tmp'];
  const server = spawn('redis-server', [...settings, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of server.stdout) if (String(line).includes('Ready to accept connections')) break;
  server.stdout.resume();
  const connections: Redis[] = [];
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    redis: () => {
      const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => null });
      redis.on('error', () => {});
      connections.push(redis);
      return redis;
    },
    stop: async () => {
      for (const connection of connections) connection.disconnect();
      if (server.exitCode !== null || server.signalCode !== null) return;
      const exited = once(server, 'exit');
      server.kill('SIGKILL');
      await exited;
    },
  };
};
