import { bitsPerElement } from '../formats/bits-per-element'
import { representableValues } from '../formats/codec-grid'
import type { Quantizer } from '../formats/number-format'
import type { DataTable } from './figure'
import { formatF32, formatPowerOfTwo } from './format-f32'
import { formatBits, formatCount } from './format-number'
import type { LineRow } from './line-rows'

/** The largest magnitude before the scale; integers reach one more below zero. */
function largest({ format: { element } }: Quantizer): string {
  if (element.kind !== 'integer') return formatF32(element.maxFinite)
  return `${2 ** (element.bits - 1) - 1}, −${2 ** (element.bits - 1)}`
}

function smallest({ format: { element } }: Quantizer): { normal: string; subnormal: string } {
  if (element.kind === 'integer') return { normal: '1', subnormal: '–' }
  if (element.kind === 'fixed') return { normal: formatPowerOfTwo(-element.fractionBits), subnormal: '–' }
  const minExponent = 1 - element.bias
  return { normal: formatPowerOfTwo(minExponent), subnormal: formatPowerOfTwo(minExponent - element.mantissaBits) }
}

function block(quantizer: Quantizer): string {
  switch (quantizer.family) {
    case 'mx':
      return String(quantizer.blockSize)
    case 'nvfp':
      return String(quantizer.format.blockSize)
    case 'integer':
      return quantizer.group === 'row' ? 'the row' : String(quantizer.group)
    case 'sixteen-bit':
      return '–'
    default:
      return quantizer satisfies never
  }
}

function scaleKind(quantizer: Quantizer): string {
  switch (quantizer.family) {
    case 'mx':
      return quantizer.scaleRule === 'fp32' ? 'fp32 (ablation)' : `E8M0, ${quantizer.scaleRule}`
    case 'nvfp':
      return quantizer.tensorScale ? 'E4M3, fp32 per tensor' : 'E4M3'
    case 'integer':
      return quantizer.scheme === 'asym' ? 'fp32 and zero point' : 'fp32'
    case 'sixteen-bit':
      return 'none'
    default:
      return quantizer satisfies never
  }
}

/** Of numbers: the 16-bit floats have too many to list for this. */
function valueCount(quantizer: Quantizer): number {
  const { element } = quantizer.format
  if (quantizer.family === 'sixteen-bit') return 2 * quantizer.format.element.maxCode + 1
  return element.bits > 8 ? 0 : representableValues(quantizer).length
}

/**
 * The facts of the formats on screen, one line each. Values are those of the element, before its scale; bits per
 * element include scales, over rows of `inDim` elements where that is known.
 */
export function formatFacts(rows: readonly LineRow[], inDim: number | null): DataTable {
  return {
    columns: [
      'format',
      'element [bit]',
      'largest',
      'smallest normal',
      'smallest subnormal',
      'values',
      'block [elements]',
      'scale',
      'bits per element',
    ],
    rows: rows.map(({ label, quantizer }) => {
      const { normal, subnormal } = smallest(quantizer)
      return [
        label,
        String(quantizer.format.element.bits),
        largest(quantizer),
        normal,
        subnormal,
        formatCount(valueCount(quantizer)),
        block(quantizer),
        scaleKind(quantizer),
        formatBits(bitsPerElement(quantizer, inDim ?? undefined)),
      ]
    }),
  }
}
