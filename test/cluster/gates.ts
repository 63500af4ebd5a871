/** gates: through which everybody reaches the nodes of a cluster, and where what goes to replicas can be held back: a primary that is killed
 *  meanwhile takes it along.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { TestCluster } from '../support/clusterServers.ts';
import { until } from '../support/clusterServers.ts';
import type { TestRedis } from '../support/redis.ts';

/** From the first bytes of a connection on in which a command of this name is, nothing of it goes on; then its sender is gone. */
interface Late {
  readonly name: string;
  readonly sent: (() => Promise<void>)[];
  /** Called as each of them is held back. */
  readonly onHeld: () => void;
}

/** How a replica begins. */
const REPLICATION = /psync|replconf/i;

export class Gate {
  readonly #toReplicas = new Set<readonly [Socket, Socket]>();
  #isHeld = false;
  #late: Late | null = null;
  readonly #clients = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly redisPort: number,
  ) {
    server.on('connection', (client: Socket) => this.#open(client));
  }

  static async before(redisPort: number): Promise<Gate> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Gate(server, redisPort);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on replicas hear nothing. */
  hold(): void {
    this.#isHeld = true;
    for (const [, redis] of this.#toReplicas) redis.pause();
  }

  holdLate(late: Late): void {
    this.#late = late;
  }

  /** Nobody who came through is connected any more. */
  cut(): void {
    this.#late = null;
    for (const client of this.#clients) client.destroy();
  }

  /** What was held back is lost. */
  drop(): void {
    this.#isHeld = false;
    for (const ends of this.#toReplicas) for (const end of ends) end.destroy();
  }

  close(): void {
    this.server.close();
    this.drop();
  }

  #open(client: Socket): void {
    const redis = connect(this.redisPort, '127.0.0.1');
    const ends = [client, redis] as const;
    this.#clients.add(client);
    const kept: Buffer[] = [];
    client.on('data', (bytes: Buffer) => {
      const late = this.#late;
      if (kept.length === 0 && late !== null && bytes.includes(late.name)) {
        late.sent.push(async () => {
          const ended = once(redis, 'close');
          redis.end(Buffer.concat(kept));
          await ended;
        });
        kept.push(bytes);
        late.onHeld();
        return;
      }
      if (kept.length > 0) {
        kept.push(bytes);
        return;
      }
      if (!this.#toReplicas.has(ends) && REPLICATION.test(bytes.toString('latin1'))) {
        this.#toReplicas.add(ends);
        if (this.#isHeld) redis.pause();
      }
      redis.write(bytes);
    });
    redis.on('data', (bytes) => client.write(bytes));
    for (const [end, other] of [ends, [redis, client] as const]) {
      end.setNoDelay(true);
      end.on('error', () => {});
      end.on('end', () => {
        if (kept.length === 0) other.end();
      });
      end.on('close', () => {
        if (kept.length === 0 || end === redis) other.destroy();
        this.#clients.delete(client);
        this.#toReplicas.delete(ends);
      });
    }
  }
}

export class Gates {
  readonly #byPort = new Map<number, Gate>();

  private constructor(private readonly cluster: TestCluster) {}

  /** Puts one before each node. */
  static async before(cluster: TestCluster): Promise<Gates> {
    const gates = new Gates(cluster);
    for (const { port } of cluster.nodes) gates.#byPort.set(port, await Gate.before(port));
    for (const node of cluster.nodes) await gates.announce(node);
    return gates;
  }

  /** Has a node tell everybody that it is reached through its gate. */
  async announce({ port, redis }: TestRedis): Promise<void> {
    const lines = String(await redis.call('CLUSTER', 'NODES')).split('\n');
    const [, bus = ''] = /@(\d+)/.exec(lines.find((line) => line.includes('myself')) ?? '') ?? [];
    await redis.call('CONFIG', 'SET', 'cluster-announce-bus-port', bus, 'cluster-announce-port', this.#of(port).port);
    await this.#toldAll(this.#of(port).port);
    await this.followed();
  }

  /** Waits until every node tells of one that is reached by this port. */
  async #toldAll(port: number): Promise<void> {
    for (const { redis } of this.cluster.nodes) {
      if (redis.status !== 'ready') continue;
      await until(async () => String(await redis.call('CLUSTER', 'NODES')).includes(`:${port}@`));
    }
  }

  /** Has the nodes tell that they are reached by their own ports again, and closes; resolves once all know, and all replicas follow. */
  async leave(): Promise<void> {
    for (const { port, redis } of this.cluster.nodes) {
      if (redis.status !== 'ready') continue;
      await redis.call('CONFIG', 'SET', 'cluster-announce-bus-port', '0', 'cluster-announce-port', '0');
      await this.#toldAll(port);
    }
    this.close();
    await this.followed();
  }

  /** Waits until each replica follows its primary. */
  async followed(): Promise<void> {
    for (const { redis } of this.cluster.nodes) {
      if (redis.status !== 'ready') continue;
      await until(async () => {
        const info = await redis.info('replication');
        return info.includes('role:master') || info.includes('master_link_status:up');
      });
      await pause(0);
    }
  }

  hold({ port }: TestRedis): void {
    this.#of(port).hold();
  }

  /**
   * Holds back, on each connection, what is sent from the first command of this name on. Resolves, once something is, to what has its
   * senders go, and then to what delivers it, done by the nodes once that has resolved.
   */
  async late(name: string): Promise<() => () => Promise<void>> {
    const sent: Late['sent'] = [];
    await new Promise<void>((resolve) => {
      for (const gate of this.#byPort.values()) gate.holdLate({ name, sent, onHeld: resolve });
    });
    return () => {
      for (const gate of this.#byPort.values()) gate.cut();
      return async () => {
        for (const deliver of sent) await deliver();
      };
    };
  }

  drop({ port }: TestRedis): void {
    this.#of(port).drop();
  }

  close(): void {
    for (const gate of this.#byPort.values()) gate.close();
  }

  #of(port: number): Gate {
    const gate = this.#byPort.get(port);
    if (gate === undefined) throw new Error(`no gate leads to port ${port}`);
    return gate;
  }
}
