/** way: the path to a Redis, which can be cut, held up, and lose what is sent. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket, connect } from 'node:net';

/** One connection: the client's end, and the one to Redis. */
interface Line {
  readonly ends: readonly [Socket, Socket];
  /** Whether bytes of it were lost, after which nothing on it can be understood. */
  broken: boolean;
}

export class Way {
  readonly url: string;
  readonly #lines = new Set<Line>();
  #weather: 'fair' | 'stalled' | 'losing' = 'fair';
  /** In ms: so much later what Redis says arrives. */
  #lagMs = 0;

  private constructor(
    private readonly server: Server,
    private redisPort: number,
  ) {
    this.url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (socket: Socket) => this.#open(socket));
  }

  /** Opens the way to the Redis on this port. */
  static async to(redisPort: number): Promise<Way> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Way(server, redisPort);
  }

  /** From now on it leads to another Redis; nobody stays at the first. */
  leadTo(redisPort: number): void {
    this.redisPort = redisPort;
    this.cut();
  }

  /** Ends every connection at once, in the middle of whatever is said. */
  cut(): void {
    for (const { ends } of this.#lines) for (const end of ends) end.resetAndDestroy();
  }

  /** Nothing passes, and nothing is lost: it arrives after `clear`. */
  stall(): void {
    this.#weather = 'stalled';
    for (const { ends } of this.#lines) for (const end of ends) end.pause();
  }

  /** What is sent from now on vanishes, while every connection seems to stand. */
  lose(): void {
    this.#weather = 'losing';
  }

  /** From now on what Redis says arrives so much later, in its order; with 0 soon again. */
  lag(ms: number): void {
    this.#lagMs = ms;
  }

  /** As a router that has forgotten its connections: what is sent on those there are vanishes for ever, unsaid. */
  forget(): void {
    for (const line of this.#lines) line.broken = true;
  }

  /** All is well again; connections that lost something are cut. */
  clear(): void {
    this.#weather = 'fair';
    for (const { ends, broken } of this.#lines) {
      for (const end of ends) {
        if (broken) end.resetAndDestroy();
        else end.resume();
      }
    }
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  #open(client: Socket): void {
    const redis = connect(this.redisPort, '127.0.0.1');
    const line: Line = { ends: [client, redis], broken: false };
    this.#lines.add(line);
    this.#pass(line, client, redis, (bytes) => redis.write(bytes));
    /** What is on its way, in its order: timers of their own would let some of it overtake the rest. */
    const coming: { readonly at: number; readonly bytes: Buffer }[] = [];
    const deliver = (): void => {
      for (let next = coming[0]; next !== undefined; next = coming[0]) {
        const ms = next.at - performance.now();
        if (ms > 0) {
          setTimeout(deliver, ms);
          return;
        }
        client.write(next.bytes);
        coming.shift();
      }
    };
    this.#pass(line, redis, client, (bytes) => {
      coming.push({ at: performance.now() + this.#lagMs, bytes });
      if (coming.length === 1) deliver();
    });
  }

  #pass(line: Line, from: Socket, to: Socket, send: (bytes: Buffer) => void): void {
    from.setNoDelay(true);
    if (this.#weather === 'stalled') from.pause();
    from.on('data', (bytes: Buffer) => {
      if (this.#weather === 'losing') line.broken = true;
      if (!line.broken) send(bytes);
    });
    from.on('end', () => to.end());
    from.on('error', () => {});
    from.on('close', () => {
      to.destroy();
      this.#lines.delete(line);
    });
  }
}
