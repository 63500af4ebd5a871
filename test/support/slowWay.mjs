/** slow way: a proxy in a process of its own, which delays what passes as a network does: half the round trip each way, and up to
 * so much more at random. Nothing overtakes on a connection. Its own work must not look like the worker's or Redis'.
 * It may also end each connection after so many bytes, both ways together, a number drawn anew for each.
 *
 *      node slowWay.mjs REDIS_PORT ROUND_TRIP_MS JITTER_MS [LEAST_BYTES MOST_BYTES]
 *
 * Prints its port, then `cut` for each connection that it ended; passes bytes until stdin closes. Timers of the event loop count
 * whole milliseconds, more than half a short way; a thread that sleeps to the microsecond tells the time instead.
 */
import { connect, createServer } from 'node:net';
import { hrtime } from 'node:process';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const nowMs = () => Number(hrtime.bigint()) / 1e6;

/** In a thread of its own: says when it is time, each time another time was set. */
const keepTime = ({ changes, due }) => {
  for (;;) {
    const seen = Atomics.load(changes, 0);
    const leftMs = due[0] - nowMs();
    if (leftMs > 0) {
      Atomics.wait(changes, 0, seen, Math.min(leftMs, 1_000));
      continue;
    }
    parentPort.postMessage(null);
    Atomics.wait(changes, 0, seen);
  }
};

const open = ([redisPort, roundTripMs, jitterMs, leastBytes = Number.POSITIVE_INFINITY, mostBytes = leastBytes]) => {
  const clock = {
    changes: new Int32Array(new SharedArrayBuffer(4)),
    due: new Float64Array(new SharedArrayBuffer(8)),
  };
  clock.due[0] = Number.POSITIVE_INFINITY;
  const thread = new Worker(fileURLToPath(import.meta.url), { workerData: clock });
  /** Both directions of all connections: what waits, in the order of its time. */
  const passages = new Set();
  const set = () => {
    clock.due[0] = Math.min(...[...passages].map((late) => late[0]?.at ?? Number.POSITIVE_INFINITY));
    Atomics.add(clock.changes, 0, 1);
    Atomics.notify(clock.changes, 0);
  };
  thread.on('message', () => {
    const now = nowMs();
    for (const late of passages) while (late.length > 0 && late[0].at <= now) late.shift().pass();
    set();
  });

  /** Passes what still may pass on this line, and ends it once nothing may. */
  const admit = (line, bytes, from, to) => {
    to.write(bytes.subarray(0, Math.max(0, Math.min(bytes.length, line.left))));
    line.left -= bytes.length;
    if (line.left > 0 || line.cut) return;
    line.cut = true;
    console.log('cut');
    from.destroy();
    // What was written before still arrives.
    to.end();
  };

  const pass = (from, to, line) => {
    let last = 0;
    const late = [];
    passages.add(late);
    from.setNoDelay(true);
    from.on('data', (bytes) => {
      last = Math.max(last, nowMs() + roundTripMs / 2 + (Math.random() * jitterMs) / 2);
      late.push({ at: last, pass: () => admit(line, bytes, from, to) });
      if (last < clock.due[0]) set();
    });
    from.on('error', () => {});
    from.on('close', () => {
      passages.delete(late);
      if (!line.cut) to.destroy();
    });
  };

  const server = createServer((client) => {
    const redis = connect(redisPort, '127.0.0.1');
    const line = { left: leastBytes + Math.floor(Math.random() * (mostBytes - leastBytes || 0)), cut: false };
    pass(client, redis, line);
    pass(redis, client, line);
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
  process.stdin.on('end', () => process.exit(0)).resume();
};

if (isMainThread) open(process.argv.slice(2).map(Number));
else keepTime(workerData);
