import { decodeCode } from '../formats/codec'
import { decodeElement } from '../formats/codec-element'
import { type BlockScale, scaleValue } from '../formats/codec-scale'
import type { Quantizer } from '../formats/number-format'
import { formatF32, formatPowerOfTwo } from './format-f32'
import { scaleExponent } from './scale-text'

/** The scale as the factors it is made of. */
function scaleFactors(scale: BlockScale): readonly string[] {
  switch (scale.kind) {
    case 'e8m0':
      return [formatPowerOfTwo(scaleExponent(scale.byte))]
    case 'e4m3': {
      const own = formatF32(scaleValue(scale) / scale.tensorScale)
      return scale.tensorScale === 1 ? [own] : [own, formatF32(scale.tensorScale)]
    }
    case 'fp32':
      return [formatF32(scale.value)]
    case 'none':
      return []
    default:
      return scale satisfies never
  }
}

/** The value of a code before its scale: "1.5", with a zero point "(12 − 7)", in a NaN block "–". */
export function elementText(code: number, scale: BlockScale, { format: { element } }: Quantizer): string {
  if (Number.isNaN(scaleValue(scale))) return '–'
  if (scale.kind === 'fp32' && scale.zeroPoint !== null) return `(${code} − ${scale.zeroPoint})`
  return formatF32(decodeElement(element, code))
}

/**
 * How the value of a code comes about: element × scale ÷ pre-scale = value, as "2 × 2⁰ ÷ 0.75 = 2.6666667". Numbers are
 * the shortest decimals that read back as the f32 numbers meant; the value is what the codec decodes, rounded to f32.
 */
export function valueText(code: number, scale: BlockScale, quantizer: Quantizer): string {
  const value = formatF32(decodeCode(code, scale, quantizer))
  if (scale.kind === 'none' || Number.isNaN(scaleValue(scale))) return value
  const preScale = quantizer.family === 'mx' ? quantizer.preScale : null
  const product = [elementText(code, scale, quantizer), ...scaleFactors(scale)].join(' × ')
  return `${product}${preScale ? ` ÷ ${preScale.factor}` : ''} = ${value}`
}
