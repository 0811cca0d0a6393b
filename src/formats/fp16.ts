import type { SixteenBitFormat } from './number-format'

/** IEEE half precision. */
export const fp16: SixteenBitFormat = {
  id: 'fp16',
  label: 'FP16',
  family: 'sixteen-bit',
  element: {
    kind: 'float',
    bits: 16,
    exponentBits: 5,
    mantissaBits: 10,
    bias: 15,
    emax: 15,
    maxFinite: 65504,
    maxCode: 0x7bff,
  },
  scale: 'none',
  options: [],
  source: 'IEEE 754 binary16, rounded half to even',
}
