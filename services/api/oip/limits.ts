// Limits on requests of the Open Inference Protocol, counted before decoding: see request-limits.ts.
import { MessageLimits, scan } from '../../core/wire-scan.ts';
import type { Check } from '../request-limits.ts';

const MAX_TENSORS = 16;
const MAX_PARAMETERS = 64;
const MAX_DIMENSIONS = 64;
/** Unpacked numbers become one object each: a client should pack them or send them raw. */
export const MAX_PARTS = 65_536;
/** Packed numbers are for small tensors; larger ones are sent raw. */
const MAX_NUMBERS = 262_144;

const PARAMETER = new MessageLimits({ 1: { name: 'parameters' }, 2: { name: 'parameters' } });
const parameters = { name: 'parameters', times: MAX_PARAMETERS, within: PARAMETER };
const NAMES = new MessageLimits({ 1: { name: 'name' }, 2: { name: 'version' } });

const CONTENTS = new MessageLimits({
  1: { name: 'inputs.contents.bool_contents', numbers: MAX_NUMBERS },
  2: { name: 'inputs.contents.int_contents', numbers: MAX_NUMBERS },
  3: { name: 'inputs.contents.int64_contents', numbers: MAX_PARTS },
  4: { name: 'inputs.contents.uint_contents', numbers: MAX_NUMBERS },
  5: { name: 'inputs.contents.uint64_contents', numbers: MAX_PARTS },
  6: { name: 'inputs.contents.fp32_contents', times: MAX_PARTS },
  7: { name: 'inputs.contents.fp64_contents', times: MAX_PARTS },
  8: { name: 'inputs.contents.bytes_contents', times: MAX_PARTS },
});

const INPUT_TENSOR = new MessageLimits({
  1: { name: 'inputs.name' },
  2: { name: 'inputs.datatype' },
  3: { name: 'inputs.shape', numbers: MAX_DIMENSIONS },
  4: parameters,
  5: { name: 'inputs.contents', within: CONTENTS },
});

const OUTPUT_TENSOR = new MessageLimits({ 1: { name: 'outputs.name' }, 2: parameters });

const MODEL_INFER = new MessageLimits({
  1: { name: 'model_name' },
  2: { name: 'model_version' },
  3: { name: 'id' },
  4: parameters,
  5: { name: 'inputs', times: MAX_TENSORS, within: INPUT_TENSOR },
  6: { name: 'outputs', times: MAX_TENSORS, within: OUTPUT_TENSOR },
  7: { name: 'raw_input_contents', times: MAX_TENSORS },
});

const REPOSITORY = new MessageLimits({
  1: { name: 'repository_name' },
  2: { name: 'model_name' },
  3: parameters,
});

const within =
  (limits: MessageLimits): Check =>
  (bytes) =>
    scan(bytes, limits);

export const checkModelName = within(NAMES);
export const checkModelInfer = within(MODEL_INFER);
export const checkRepository = within(REPOSITORY);
