import { INTEGER_OPTIONS } from './integer-options'
import type { IntegerFormat } from './number-format'

/** INT4 under an fp32 scale per row or group: the baseline on which rotations were invented. */
export const int4: IntegerFormat = {
  id: 'int4',
  label: 'INT4',
  family: 'integer',
  element: { kind: 'integer', bits: 4 },
  scale: 'fp32',
  options: INTEGER_OPTIONS,
  source: 'QuaRot, GPTQ and FlatQuant (docs/formats.md, integers)',
}
