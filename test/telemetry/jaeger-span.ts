// Spans from Jaeger's query API (OTLP's JSON), and a trace as the tree that Jaeger draws.

type Plain = string | number | boolean;

export interface JaegerSpan {
  readonly spanId: string;
  /** Empty: none. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: string;
  /** The attributes of the program: `service.name`, `service.instance.id`, … */
  readonly resource: Readonly<Record<string, Plain>>;
  readonly attributes: Readonly<Record<string, Plain>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, Plain>> }[];
  /** Since 1970, nanoseconds. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly error: string;
  /** Jaeger's warnings: times outside of its parent's, a missing parent, a duplicate id. */
  readonly warnings: readonly string[];
}

interface AnyValue {
  readonly stringValue?: string;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
}

type KeyValues = readonly { readonly key: string; readonly value: AnyValue }[];

interface OtlpSpan {
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind?: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: KeyValues;
  readonly events?: readonly { readonly name: string; readonly attributes?: KeyValues }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

export interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes?: KeyValues };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const ERROR = 2;
const WARNINGS = '@jaeger@warnings';

export function toJaegerSpans({ resourceSpans }: OtlpTraces): JaegerSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => toJaegerSpan(span, toPlain(resource.attributes)))),
  );
}

function toJaegerSpan(span: OtlpSpan, resource: Record<string, Plain>): JaegerSpan {
  const { spanId, parentSpanId = '', name, kind = 0, attributes = [], events = [], status } = span;
  const warnings = attributes.find(({ key }) => key === WARNINGS)?.value.arrayValue?.values ?? [];
  return {
    ...{ spanId, parentSpanId, name, resource },
    kind: KINDS[kind] ?? String(kind),
    attributes: toPlain(attributes),
    events: events.map((event) => ({ name: event.name, attributes: toPlain(event.attributes) })),
    startNs: BigInt(span.startTimeUnixNano),
    endNs: BigInt(span.endTimeUnixNano),
    error: status?.code === ERROR ? (status.message ?? 'error') : '',
    warnings: warnings.map(({ stringValue = '' }) => stringValue),
  };
}

function toPlain(attributes: KeyValues = []): Record<string, Plain> {
  const plain: Record<string, Plain> = {};
  for (const { key, value } of attributes) {
    const { stringValue, intValue, doubleValue, boolValue } = value;
    const one = stringValue ?? (intValue === undefined ? undefined : Number(intValue)) ?? doubleValue ?? boolValue;
    if (one !== undefined) plain[key] = one;
  }
  return plain;
}

export function childrenOf(spans: readonly JaegerSpan[], { spanId }: JaegerSpan): JaegerSpan[] {
  return spans.filter(({ parentSpanId }) => parentSpanId === spanId);
}

/** The only one of this name. */
export function only(spans: readonly JaegerSpan[], name: string): JaegerSpan {
  const [span, ...others] = spans.filter((each) => each.name === name);
  if (span === undefined || others.length > 0) {
    throw new Error(
      `${others.length + (span ? 1 : 0)} spans "${name}" in ${spans.map((each) => each.name).join(', ')}`,
    );
  }
  return span;
}

/**
 * The whole tree, a line for each span: its name, indented below its parent's, and its program if it differs from its
 * parent's. Siblings are in the order of their names. A span without a known parent begins a separate tree.
 */
export function outline(spans: readonly JaegerSpan[]): string {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const lines = (of: readonly JaegerSpan[], depth: number, above: string): string[] =>
    of
      .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
      .flatMap((span) => {
        const service = String(span.resource['service.name']);
        const name = service === above ? span.name : `${service}: ${span.name}`;
        return ['  '.repeat(depth) + name, ...lines(childrenOf(spans, span), depth + 1, service)];
      });
  const roots = spans.filter(({ parentSpanId }) => !ids.has(parentSpanId));
  return lines(roots, 0, '').join('\n');
}

/** Errors in the times: a span that ends before it begins, or is not inside its parent, and by how much. */
export function misfits(spans: readonly JaegerSpan[], toleranceNs: bigint): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  return spans.flatMap((span) => {
    const { name, startNs, endNs, parentSpanId } = span;
    const found = endNs < startNs ? [`${name} ends ${startNs - endNs} ns before it begins`] : [];
    const parent = byId.get(parentSpanId);
    if (parent === undefined) return found;
    const early = parent.startNs - startNs;
    const late = endNs - parent.endNs;
    if (early > toleranceNs) found.push(`${name} begins ${early} ns before ${parent.name}`);
    if (late > toleranceNs) found.push(`${name} ends ${late} ns after ${parent.name}`);
    return found;
  });
}
