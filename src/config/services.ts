/** services: variables that only look like settings of ours. */
import type { Environment } from './levels.ts';

/** What Kubernetes tells every pod of a Service that is called stalesweep, or something that begins so. */
const SERVICE_VARIABLE =
  /^STALESWEEP_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const SERVICE_PORT = /^(tcp|udp|sctp):\/\//;

/** The environment without what is no setting of ours, though it is called so. */
export function withoutServices(env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) =>
        !SERVICE_VARIABLE.test(name) && !(/^STALESWEEP_(\w+_)?PORT$/.test(name) && SERVICE_PORT.test(value ?? '')),
    ),
  );
}
