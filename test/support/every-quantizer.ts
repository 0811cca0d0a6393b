/** Quantizers of every family with their choices varied, for tests that hold for all of them. */
import type {
  IntegerFormat,
  MxFormat,
  MxQuantizer,
  NumberFormat,
  NvfpFormat,
  PreScale,
  Quantizer,
  SixteenBitFormat,
} from '../../src/formats/number-format'
import { BLOCK_SIZES, INTEGER_SCHEMES, ROUNDINGS, SCALE_RULES } from '../../src/formats/number-format'
import { FORMATS } from '../../src/formats/registry'

const isFamily =
  <Format extends NumberFormat>(family: Format['family']) =>
  (format: NumberFormat): format is Format =>
    format.family === family

export const MX_FORMATS = FORMATS.filter(isFamily<MxFormat>('mx'))
const NVFP_FORMATS = FORMATS.filter(isFamily<NvfpFormat>('nvfp'))
const INTEGER_FORMATS = FORMATS.filter(isFamily<IntegerFormat>('integer'))
const SIXTEEN_BIT_FORMATS = FORMATS.filter(isFamily<SixteenBitFormat>('sixteen-bit'))

/** Factors whose quotients and products are not exact, beside the usual one and the ends of the range. */
export const PRE_SCALES: readonly PreScale[] = [0.5, 0.62, 0.75, 0.69, 0.99].flatMap((factor) => [
  { factor, variant: 'exact' } as const,
  { factor, variant: 'literal' } as const,
])

export function standardMx(format: MxFormat): MxQuantizer {
  return {
    family: 'mx',
    format,
    blockSize: 32,
    scaleRule: 'floor',
    rounding: 'half-even',
    preScale: null,
    flushSubnormalBlocks: false,
  }
}

/** Every element × scale rule × rounding, every block size, every pre-scale, and the flush of subnormal blocks. */
export const MX_QUANTIZERS: readonly MxQuantizer[] = MX_FORMATS.flatMap((format) => {
  const standard = standardMx(format)
  const ruled = SCALE_RULES.flatMap((scaleRule) => ROUNDINGS.map((rounding) => ({ ...standard, scaleRule, rounding })))
  const preScaled = ruled
    .filter(({ scaleRule }) => format.element.bits === 4 && scaleRule !== 'fp32')
    .flatMap((quantizer) => PRE_SCALES.map((preScale) => ({ ...quantizer, preScale })))
  const sized = BLOCK_SIZES.map((blockSize) => ({ ...standard, blockSize }))
  return [...ruled, ...preScaled, ...sized, { ...standard, flushSubnormalBlocks: true }]
})

export const OTHER_QUANTIZERS: readonly Quantizer[] = [
  ...NVFP_FORMATS.flatMap((format) =>
    ([null, 'mse', 'mae', 'max'] as const).flatMap((fourOverSix) =>
      [true, false].map((tensorScale) => ({ family: 'nvfp' as const, format, fourOverSix, tensorScale })),
    ),
  ),
  ...INTEGER_FORMATS.flatMap((format) =>
    (['row', 32, 64, 128] as const).flatMap((group) =>
      INTEGER_SCHEMES.map((scheme) => ({ family: 'integer' as const, format, group, scheme })),
    ),
  ),
  ...SIXTEEN_BIT_FORMATS.map((format) => ({ family: 'sixteen-bit' as const, format })),
]

/** What tells a quantizer from the others, for test names. */
export function quantizerName(quantizer: Quantizer): string {
  const { format, family, ...choices } = quantizer
  return [format.id, ...Object.values(choices).map((value) => JSON.stringify(value))].join(' ').replaceAll('"', '')
}

/** Elements sharing a scale; a row of 96 stands for the length of a row or of what has no scale. */
export function sharingOf(quantizer: Quantizer, row = 96): number {
  if (quantizer.family === 'mx') return quantizer.blockSize
  if (quantizer.family === 'nvfp') return quantizer.format.blockSize
  return quantizer.family === 'integer' && quantizer.group !== 'row' ? quantizer.group : row
}
