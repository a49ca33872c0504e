// The public exports of the package. Messages and stubs of every service: `tandem-snn/tandem/v1/models` and so on.
export { Tandem, type CallOptions, type TandemOptions } from './client.ts';
export { TandemError, type FieldViolation } from './errors.ts';
export { digestHex, tensorOf } from './values.ts';
export type { StreamAnswer } from './stream.ts';
export {
  type DeepPartial,
  ReasonBatchResponse,
  type ReasonBatchResult,
  type ReasonError,
  ReasonRequest,
  ReasonResponse,
  type Session,
  type Tensor,
} from '../../generated/tandem/v1/reasoning.ts';
export { CacheMode, CacheStatus, Detail, Grade, Strategy } from '../../generated/tandem/v1/types.ts';
