// What all of this process's spans say about where they were made.
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
import type { SpanSource } from '../core/encoded-span.ts';

/** What the user says in OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES comes last, and wins. */
export function detectedResource({ service, instance }: SpanSource): Resource {
  const detectors = [hostDetector, osDetector, processDetector, resourceAttributesEnvDetector, serviceNameEnvDetector];
  return defaultResource()
    .merge(resourceFromAttributes({ 'service.name': service, 'service.instance.id': instance }))
    .merge(detectResources({ detectors }));
}
