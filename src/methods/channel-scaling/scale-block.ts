import type { Quantizer } from '../../formats/number-format'

/** Columns that share a scale under `quantizer`; 'row': all of them; null: every element stands by itself. */
export function scaleBlock(quantizer: Quantizer): number | 'row' | null {
  switch (quantizer.family) {
    case 'mx':
      return quantizer.blockSize
    case 'nvfp':
      return quantizer.format.blockSize
    case 'integer':
      return quantizer.group
    case 'sixteen-bit':
      return null
    default:
      return quantizer satisfies never
  }
}
