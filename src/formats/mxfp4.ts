import type { MxFormat } from './number-format'

/** MXFP4: E2M1 elements (0, 0.5, 1, 1.5, 2, 3, 4, 6), 4.25 bits per element. Every code is a finite number. */
export const mxfp4: MxFormat = {
  id: 'mxfp4',
  label: 'MXFP4',
  family: 'mx',
  element: {
    kind: 'float',
    bits: 4,
    exponentBits: 2,
    mantissaBits: 1,
    bias: 1,
    emax: 2,
    maxFinite: 6,
    maxCode: 7,
  },
  blockSize: 32,
  scale: 'e8m0',
  options: [],
  source: 'OCP Microscaling Formats (MX) v1.0',
}
