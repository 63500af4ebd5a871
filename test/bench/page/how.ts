/** how: what the page says of the way its figures came about. */

/** How it is measured, and who contends. */
export const HOW = `## How it is measured

**The data** are those of \`stalesweep populate\`, as the field writes them: swarms of 20; ids of one segment in every other swarm, of two
in the rest; per coordinator a heartbeat, a signal, two acknowledgements, an activity key, and an idempotency key
\`…:{sender}:{receiver}:completion:{iteration}:{time}\` that belongs to two neighbours; written in turns, everybody a little at a time; acknowledgements and
signals with a time to live. _TTL_: heartbeats have one, too, so that a run notes who it saw. _easy_: the data of earlier editions of this page, ids of one segment,
no key that belongs to two, each coordinator written in one go. _everyday_: one in a thousand stale, among a million keys of others.

Every trial starts a Redis of its own, a new process that loads the case's data, saved once; data older than half an hour are written anew, since heartbeats
get older and keys expire while they lie there. As Redis has just loaded old data, runs have \`restartGrace: false\`. Contenders take turns (A B C, A B C, …).
Times are medians; a ratio is the median of the ratios of trials that ran one after the other, since a machine that others use gets slower and
faster, but hardly between two neighbours. The last column says of how many trials: five where that fits, three with millions, one of what takes minutes. After each trial the keys
left are counted, and compared with those that the others left, by their digest.

- **time**: from the first command to the last reply, in a process that is connected and has done nothing before; _warm_: in one that has
  done the same five times.
- **Redis CPU**: of its main thread, which is what others wait for (\`INFO cpu\`). **calls**: requests sent. **slowest call**: of all trials, by Redis' slow log;
  **> 4 ms**: the share of calls that took longer than twice the call budget. The slow log counts from start to end, also what Redis waited for the processor.
- **waits for the worker**: the longest time, of all trials, in which the worker's event loop did not turn, so the longest that a reply which had come can have lain
  there unread.
- **RSS**: the most memory the contender's process ever held.
- **a way**: between contender and Redis lies a proxy, a process of its own, that holds back all bytes for half the round trip each way, and at random up to so much
  longer: \`10–15 ms\` is a round trip of 10 ms and a jitter of half. The floor takes the same way.
- **pings**: in trials of their own, another process sends a PING every millisecond, whether or not the one before was answered; a latency counts
  from the time the ping was due.
- **load**: how many processes wanted to run when a case began, on average of the minute before. Above half the cores, others had a part in the figures.

The contenders:

- **the floor**: one SCAN pass over the whole keyspace, COUNT 1000 and the heartbeats' pattern, the next page asked for when one has come; an MGET of each page's
  heartbeats, on its way together with the next page; then bare UNLINKs of exactly the keys that are to go, 1,000 a call, four in flight. It is told their names: it looks for none, judges no value and
  proves nothing. It removes the very same keys. A client that lets others have their turn can hardly do less.
- **one SCAN pass**: the pass alone, without the values, where hardly anything is to be removed.
- **stalesweep run**: the command, a process from start to end.
- **redis-cli | xargs**: \`redis-cli --scan --pattern … | xargs -n 1000 redis-cli unlink\`. It removes the active coordinators as well: a pattern
  can't tell.
- **scan, GET, DEL**: a loop over the heartbeats with scanStream, one coordinator after the other, then one over the keys that only a scan can find. Who
  beats between its GET and its DEL loses everything. On easy data only: it takes an id for one segment, and a key for one coordinator's.
- **one Lua call**: scans, judges and deletes everything at once, on easy data. It blocks Redis all the while; after five seconds others are answered BUSY. This is its
  best form: the usual one, which scans once per coordinator and unpacks all keys, takes minutes at 7,000 coordinators and fails beyond.`;
