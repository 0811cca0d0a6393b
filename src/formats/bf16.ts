import type { SixteenBitFormat } from './number-format'

/** bfloat16: the upper half of an f32. */
export const bf16: SixteenBitFormat = {
  id: 'bf16',
  label: 'BF16',
  family: 'sixteen-bit',
  element: {
    kind: 'float',
    bits: 16,
    exponentBits: 8,
    mantissaBits: 7,
    bias: 127,
    emax: 127,
    maxFinite: (2 - 2 ** -7) * 2 ** 127,
    maxCode: 0x7f7f,
  },
  scale: 'none',
  options: [],
  source: 'bfloat16, rounded half to even',
}
