/** endSignals: what tells a process to end in order. */

/** By another process, by Ctrl-C, and by the end of its terminal. */
export const END_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
