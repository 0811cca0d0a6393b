import { INTEGER_OPTIONS } from './integer-options'
import type { IntegerFormat } from './number-format'

/** INT8 under an fp32 scale per row or group: the baseline on which rotations were invented. */
export const int8: IntegerFormat = {
  id: 'int8',
  label: 'INT8',
  family: 'integer',
  element: { kind: 'integer', bits: 8 },
  scale: 'fp32',
  options: INTEGER_OPTIONS,
  source: 'QuaRot, GPTQ and FlatQuant (docs/formats.md, integers)',
}
