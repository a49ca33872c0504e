// OpenTelemetry's resources, which describe the origin of spans, and their encoded form.
import {
  type Resource,
  defaultResource,
  detectResources,
  hostDetector,
  osDetector,
  processDetector,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { SpanSource } from '../core/encoded-spans.ts';
import { toReadable } from './readable-span.ts';

export class Resources {
  readonly own: Resource;
  readonly #ownSource: SpanSource;
  /** The attributes that the router's own sidecars share with it: the machine, and the user's attributes. */
  readonly #shared = detectResources({ detectors: [hostDetector, resourceAttributesEnvDetector] });
  readonly #foreign = new WeakMap<SpanSource, Resource>();
  readonly #bytes = new WeakMap<Resource, Uint8Array>();

  /** `ownSource`: this process. */
  constructor(ownSource: SpanSource) {
    this.#ownSource = ownSource;
    this.own = ownResource(ownSource);
  }

  of(source: SpanSource): Resource {
    if (source === this.#ownSource) return this.own;
    const known = this.#foreign.get(source);
    if (known !== undefined) return known;
    const { service, instance } = source;
    const made = this.#shared.merge(
      resourceFromAttributes({ 'service.name': service, 'service.instance.id': instance }),
    );
    this.#foreign.set(source, made);
    return made;
  }

  /** A message opentelemetry.proto.resource.v1.Resource. */
  bytesOf(source: SpanSource): Uint8Array {
    const resource = this.of(source);
    const known = this.#bytes.get(resource);
    if (known !== undefined) return known;
    const made = toBytes(resource);
    if (!resource.asyncAttributesPending) this.#bytes.set(resource, made);
    return made;
  }
}

/** The user's OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come last and take precedence. */
function ownResource({ service, instance }: SpanSource): Resource {
  const detectors = [hostDetector, osDetector, processDetector, resourceAttributesEnvDetector, serviceNameEnvDetector];
  return defaultResource()
    .merge(resourceFromAttributes({ 'service.name': service, 'service.instance.id': instance }))
    .merge(detectResources({ detectors }));
}

/** OpenTelemetry encodes it as the first field of the first field of a request. */
function toBytes(resource: Resource): Uint8Array {
  const none = { traceId: '', spanId: '', parentSpanId: '', traceState: '', name: '', service: '', instance: '' };
  const times = { startMs: 0, durationMs: 0 };
  const span = toReadable({ ...none, ...times, kind: 'INTERNAL', error: '', attributes: {}, events: [] }, resource);
  return firstField(firstField(ProtobufTraceSerializer.serializeRequest([span])!));
}

function firstField(message: Uint8Array): Uint8Array {
  let length = 0;
  let at = 1; // its tag
  for (let shift = 0; ; shift += 7) {
    const byte = message[at++]!;
    length += (byte & 127) << shift;
    if (byte < 128) break;
  }
  return message.subarray(at, at + length);
}
