import type { MxFormat } from './number-format'

/** MXINT8: elements q / 64 with q from -127 to 127 (-128 is never written), 8.25 bits per element. */
export const mxint8: MxFormat = {
  id: 'mxint8',
  label: 'MXINT8',
  family: 'mx',
  element: { kind: 'fixed', bits: 8, fractionBits: 6, emax: 0, maxFinite: 127 / 64, maxCode: 127 },
  blockSize: 32,
  scale: 'e8m0',
  options: [],
  source: 'OCP Microscaling Formats (MX) v1.0',
}
