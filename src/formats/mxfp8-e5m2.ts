import type { MxFormat } from './number-format'

/** MXFP8 with E5M2 elements, 8.25 bits per element. Codes 0x7C and up are infinity and NaN, as in IEEE 754. */
export const mxfp8E5m2: MxFormat = {
  id: 'mxfp8_e5m2',
  label: 'MXFP8 E5M2',
  family: 'mx',
  element: {
    kind: 'float',
    bits: 8,
    exponentBits: 5,
    mantissaBits: 2,
    bias: 15,
    emax: 15,
    maxFinite: 57344,
    maxCode: 0x7b,
  },
  blockSize: 32,
  scale: 'e8m0',
  options: [],
  source: 'OCP Microscaling Formats (MX) v1.0',
}
