/** namesTarget: whether whoever said `npm start` named what is to be cleaned. Plain JavaScript, since it is asked before the build. */

/** @param {Record<string, string | undefined>} env @param {readonly string[]} args */
export const namesTarget = (env, args) =>
  Boolean(env.REDIS_URL || env.STALESWEEP_CONFIG || args.some((arg) => /^--config(=|$)/.test(arg)));
