import type { MxFormat } from './number-format'

/**
 * MXFP8 with E4M3 elements, 8.25 bits per element. The "fn" variant: no infinity, magnitude code 0x7F is NaN, so
 * the largest number is 448 and not 480.
 */
export const mxfp8E4m3: MxFormat = {
  id: 'mxfp8_e4m3',
  label: 'MXFP8 E4M3',
  family: 'mx',
  element: {
    kind: 'float',
    bits: 8,
    exponentBits: 4,
    mantissaBits: 3,
    bias: 7,
    emax: 8,
    maxFinite: 448,
    maxCode: 0x7e,
  },
  blockSize: 32,
  scale: 'e8m0',
  options: [],
  source: 'OCP Microscaling Formats (MX) v1.0',
}
