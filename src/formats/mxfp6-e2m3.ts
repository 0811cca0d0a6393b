import type { MxFormat } from './number-format'

/** MXFP6 with E2M3 elements, 6.25 bits per element. Every code is a finite number. */
export const mxfp6E2m3: MxFormat = {
  id: 'mxfp6_e2m3',
  label: 'MXFP6 E2M3',
  family: 'mx',
  element: {
    kind: 'float',
    bits: 6,
    exponentBits: 2,
    mantissaBits: 3,
    bias: 1,
    emax: 2,
    maxFinite: 7.5,
    maxCode: 0x1f,
  },
  blockSize: 32,
  scale: 'e8m0',
  options: [],
  source: 'OCP Microscaling Formats (MX) v1.0',
}
