import type { NvfpFormat } from './number-format'

/** NVFP4: E2M1 elements in blocks of 16 under an E4M3 scale, and one fp32 scale per tensor; 4.5 bits per element. */
export const nvfp4: NvfpFormat = {
  id: 'nvfp4',
  label: 'NVFP4',
  family: 'nvfp',
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
  blockSize: 16,
  scale: 'e4m3',
  options: [
    {
      key: 'four-over-six',
      label: 'Four over six',
      help: 'Scale each block to 4 instead of 6 where that lowers its squared (mse), absolute (mae) or largest (max) error.',
      kind: 'choice',
      default: 'off',
      choices: ['off', 'mse', 'mae', 'max'],
    },
    {
      key: 'tensor-scale',
      label: 'Tensor scale',
      help: 'One fp32 scale for the tensor, so that block scales use the range of E4M3. Off: the block scales stand alone.',
      kind: 'choice',
      default: 'on',
      choices: ['on', 'off'],
    },
  ],
  source: 'NVFP4 as in NVIDIA TransformerEngine; four over six: arXiv 2512.02010',
}
