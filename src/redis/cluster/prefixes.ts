/** prefixes: what stalesweep's own keys in a cluster begin with. */

/** What is set aside begins with it. */
export const ASIDE_PREFIX = 'stalesweep:aside:';
/** Finds that and what says so, for an ACL. */
export const SET_ASIDE_GLOB = 'stalesweep:aside*';
