/** own keys: what stalesweep's own keys begin with. They are never anybody's to sweep (P8). */

/** The braces keep all keys of the queue on one node of a Redis Cluster. */
export const QUEUE_PREFIX = '{stalesweep}';

/** Whatever begins with one of these is ours: the queue's and the ledger's, and what was put aside. */
export const OWN_PREFIXES: readonly string[] = [`${QUEUE_PREFIX}:`, 'stalesweep:'];
