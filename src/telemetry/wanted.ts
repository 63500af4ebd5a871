/** wanted: whether a process is to send traces, by the variables that OpenTelemetry defines for every program. Pure.
 *
 * They stand beside the settings, not among them: whole fleets share them, so a value that is not understood here is said in a sentence
 * and traces stay off; nothing stops for it.
 */

type Environment = Readonly<Record<string, string | undefined>>;

export interface Wanted {
  /** In which form traces go to the collector; `null`: none are sent. */
  readonly form: 'protobuf' | 'json' | null;
  /** Why none are sent though somebody asked for them; `null`: nobody did, or they are. */
  readonly complaint: string | null;
}

const OFF: Wanted = { form: null, complaint: null };

function refused(complaint: string): Wanted {
  return { form: null, complaint: `${complaint}; no traces are sent` };
}

/** Of a variable for traces and the one for every signal, the first that holds anything. */
function firstOf(env: Environment, what: string): { readonly name: string; readonly value: string } | null {
  for (const name of [`OTEL_EXPORTER_OTLP_TRACES_${what}`, `OTEL_EXPORTER_OTLP_${what}`]) {
    const value = env[name]?.trim();
    if (value) return { name, value };
  }
  return null;
}

/** Traces are sent where somebody names an endpoint, or `otlp` as the exporter, and nobody switches them off. */
export function wantedBy(env: Environment): Wanted {
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') return OFF;
  const exporters = (env.OTEL_TRACES_EXPORTER ?? '').split(',').flatMap((name) => name.trim() || []);
  const endpoint = firstOf(env, 'ENDPOINT');
  if (exporters.length > 0 && !exporters.includes('otlp')) {
    const unknown = exporters.find((name) => name !== 'none');
    if (unknown === undefined) return OFF;
    return refused(`OTEL_TRACES_EXPORTER: ${JSON.stringify(unknown)} is not known here; use otlp, or none`);
  }
  if (exporters.length === 0 && endpoint === null) return OFF;
  // An address may hold a password, so no sentence repeats it.
  if (endpoint !== null && !(URL.canParse(endpoint.value) && /^https?:$/.test(new URL(endpoint.value).protocol))) {
    return refused(`${endpoint.name}: must be an address such as http://collector:4318`);
  }
  const protocol = firstOf(env, 'PROTOCOL');
  if (protocol === null || protocol.value === 'http/protobuf') return { form: 'protobuf', complaint: null };
  if (protocol.value === 'http/json') return { form: 'json', complaint: null };
  const sentence = `${JSON.stringify(protocol.value)} is not spoken here`;
  return refused(`${protocol.name}: ${sentence}; use http/protobuf, for which collectors listen on port 4318`);
}

/** Whether a process with this environment may send any. */
export function sendsTraces(env: Environment): boolean {
  return wantedBy(env).form !== null;
}
