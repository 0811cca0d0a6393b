import type { MxFormat } from './number-format'

/** MXFP6 with E3M2 elements, 6.25 bits per element. Every code is a finite number. */
export const mxfp6E3m2: MxFormat = {
  id: 'mxfp6_e3m2',
  label: 'MXFP6 E3M2',
  family: 'mx',
  element: {
    kind: 'float',
    bits: 6,
    exponentBits: 3,
    mantissaBits: 2,
    bias: 3,
    emax: 4,
    maxFinite: 28,
    maxCode: 0x1f,
  },
  blockSize: 32,
  scale: 'e8m0',
  options: [],
  source: 'OCP Microscaling Formats (MX) v1.0',
}
