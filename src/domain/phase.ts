/** phase: how far a run has come. */

/** In their order; small targets pass through some of them in no time. */
export type Phase = 'mark' | 'gather' | 'sweep' | 'report';
