/** tried: what was learnt on the way, for the page. */

/** From what was measured once, by hand; each says of what data and when. */
export const TRIED = `## Where the time went

What follows was measured in November 2026 up to commit f3b4d4f, on the easy data: ids of one segment, and no key of two coordinators. The engine
has changed since; the figures say what was weighed then, and are no measurement of today's.

Redis' CPU time at 100,000 coordinators, flat, each part measured by itself: walking the keyspace 0.38 s (the floor's walk: 0.37 s), reading the
heartbeats 0.09 s, UNLINK of all names 0.49 s (of those that exist: 0.44 s), carrying the names through Lua 0.19 s, comparing the heartbeats once
more 0.08 s. So about 0.4 s of 1.2 s is the price of proof, and half of that is Lua's: each name becomes a string of its own, and is hashed whole.
The rest is waiting for memory: in a profile of the main thread, walking the hash table and comparing names made up well over half. So what counts
is how many names are looked up, how often, and how near they lie to each other.

A new process has its own code yet to compile. On two cores, the compiler's threads take the processor from Redis in the midst of a call, for 3 to 5 ms: at
10,000 coordinators, where a run takes a third of a second, a call or two of 150 take longer than twice the budget, though the
script in them does not. The floor, with less code, has hardly any; a worker that has a few runs behind it neither.

The worker's main thread is what the walk waits for: 1.2 s of work at 100,000, during which Redis works 0.75 s, while in the sweep Redis works
1.15 s and the worker 0.6 s. A third of the former is the client decoding replies, a tenth parsing heartbeats.

## What was tried

What helped:

- One SCAN pass for heartbeats and wildcard families, with a pattern of character classes (\`blocking:[hai][ecd]*\`) that leaves out what
  follows from the id: a second pass costs more than longer replies.
- All keys of a coordinator in one call, instead of sweeping page by page.
- Sweeping in the order of names: coordinators written one after the other lie next to each other. In the order of a scan, Redis took a sixth
  longer at 300,000 written in turn. Where a server has loaded its data from a file, as in all cases here, they lie in another order, and it can gain little.
- Names and values as bytes, from the reply to the next command: as strings in a Map, a million coordinators took 914 MB.
- The page after the next already asked for: 6 to 8 % less time for the pass. Putting the stale in order took 95 ms at 100,000, during
  which Redis had nothing to do; with their records one behind the other, and one look at each, a quarter of that.
- Emptying each reply once it was read. The client holds on to its last reply while it reads the next, so that to the collector of young objects each
  kept all earlier ones alive: every collection copied megabytes of dead pages. With that, and with buffers used again, collections
  take less than a millisecond instead of 3 to 5, the worker 8 % less CPU time, and 144 MB instead of 168 at 100,000.
- Looking up the owners of a whole page in one loop, so that its cache misses overlap: 7 % less of the worker's CPU time for the pass at a million.
- As many helper threads for the compiler and the collector as there are cores to spare (\`--v8-pool-size=0\`), instead of always four: in a new
  process at 10,000 on two cores, 0.6 % of the calls above twice the budget instead of 1.0 %, 1.0 % instead of 1.5 % with both
  cores busy otherwise; no slower, and 8 MB less memory.

What did not:

- Pages walked inside Lua: twice the CPU time, and longer calls.
- Three chunks on their way instead of two: no difference beyond the noise. One alone: 65 % more time.
- Smaller pages: at 1,000 slots a page the pass took 8 % more time, at 500 a quarter more.
- Replies decoded to strings instead of Buffers: 430 ns a name instead of 290.
- Chunks from 25 to 600 coordinators a call, and UNLINKs of 31 or 100 names within one: no difference beyond the noise, but at 25 a third more time.
- Heartbeats read 300 or 600 at a time instead of 100 and more: no difference.
- All judged values of a chunk compared as one string: fewer strings for Lua, but longer ones, which it hashes whole. No difference beyond the noise.
- Giving the compiler's and collector's threads the lowest priority: in a new process at 10,000, calls above twice the budget fell
  from 1.2 % to 0.1 %. But on a machine that is busy otherwise the worker waited for its own collector, and runs took up to twice as long.
- Leaving out keys that are derived but seldom exist, such as \`state\`: looking up a key that is missing costs Redis as much as one that is there,
  about 4 % of a run. But one that was written meanwhile would be orphaned, so they are all named.
- WATCH and MULTI instead of a script, as where scripts are refused: Redis compares each watched key with all that the client
  watches already, two round trips a chunk, and nothing can be removed while memory is full.
- Below the floor: nothing removes many keys for less than UNLINK, and nothing names them for less than SCAN. Letting them
  expire instead writes to a second hash table first.`;
