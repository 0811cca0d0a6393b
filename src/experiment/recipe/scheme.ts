/** Number formats of a setting as compressed-tensors describes them, and where the two differ. */
import { InputError } from '../../core/errors'
import type { Quantizer } from '../../formats/number-format'
import type { MxChoices } from '../../formats/quantizer'
import type { Setting } from '../request'
import { preScaleText } from '../setting-text'
import { quantizersOf } from '../settings'
import type { YamlMap } from './yaml-text'

/** What a modifier that quantizes is told: a preset by its name, or the facts of both operands. */
export interface Scheme {
  readonly preset: string | null
  readonly weights: YamlMap
  readonly activations: YamlMap | null
  /** Of the key-value cache; null where it stays as it is. */
  readonly cache: YamlMap | null
  /** Some scale of it comes from calibration rows. */
  readonly needsRows: boolean
  /** What differs from what was measured, a sentence each. */
  readonly deviations: readonly string[]
}

/** One operand: a name that presets are found by, its facts, and where it differs from what was measured. */
interface Side {
  readonly name: string
  readonly facts: YamlMap
  readonly deviations: readonly string[]
}

/** The presets of compressed-tensors (quant_scheme.py), by weights and activations. */
const PRESETS: Readonly<Record<string, string>> = {
  'mxfp4/mxfp4': 'MXFP4',
  'mxfp4/16': 'MXFP4A16',
  'mxfp8/mxfp8': 'MXFP8',
  'mxfp8/16': 'MXFP8A16',
  'nvfp4/nvfp4': 'NVFP4',
  'nvfp4/16': 'NVFP4A16',
  'int8 row/int8 row': 'W8A8',
  'int4 128/16': 'W4A16',
  'int4 128 asym/16': 'W4A16_ASYM',
  'int4 128/int8 row': 'W4A8',
  'int8 128/16': 'W8A16',
}

/** MX formats that compressed-tensors does not have, and the nearest that it has. */
const NEAREST_MX: Readonly<Record<string, { readonly name: 'mxfp4' | 'mxfp8'; readonly why: string }>> = {
  mxfp6_e2m3: { name: 'mxfp8', why: 'it has no six-bit floats' },
  mxfp6_e3m2: { name: 'mxfp8', why: 'it has no six-bit floats' },
  mxfp8_e5m2: { name: 'mxfp8', why: 'its eight-bit floats are E4M3' },
  mxint8: { name: 'mxfp8', why: 'it has no integers under power-of-two scales' },
}

function mxSide(quantizer: Extract<Quantizer, { family: 'mx' }>, operand: string): Side {
  const { format, blockSize } = quantizer
  const nearest = NEAREST_MX[format.id]
  const name = nearest?.name ?? (format.element.bits === 4 ? 'mxfp4' : 'mxfp8')
  const deviations = nearest
    ? [
        `${operand}: measured in ${format.label}; the recipe takes ${name.toUpperCase()}, because compressed-tensors has no such format (${nearest.why}).`,
      ]
    : []
  if (blockSize !== 32) {
    deviations.push(`${operand}: measured in blocks of ${blockSize}; the recipe has the standard blocks of 32.`)
  }
  return {
    name,
    facts: {
      num_bits: name === 'mxfp4' ? 4 : 8,
      type: 'float',
      strategy: 'group',
      group_size: 32,
      symmetric: true,
      scale_dtype: 'torch.uint8',
      zp_dtype: 'torch.uint8',
    },
    deviations,
  }
}

function nvfpSide({ fourOverSix, tensorScale }: Extract<Quantizer, { family: 'nvfp' }>, operand: string): Side {
  const deviations: string[] = []
  if (fourOverSix !== null) {
    deviations.push(`${operand}: four over six (${fourOverSix}) is not reproduced; every block is scaled to 6.`)
  }
  if (!tensorScale) deviations.push(`${operand}: measured without a tensor scale; the recipe has one.`)
  return {
    name: 'nvfp4',
    facts: {
      num_bits: 4,
      type: 'float',
      strategy: 'tensor_group',
      group_size: 16,
      symmetric: true,
      scale_dtype: 'torch.float8_e4m3fn',
      zp_dtype: 'torch.float8_e4m3fn',
    },
    deviations,
  }
}

function integerSide(quantizer: Extract<Quantizer, { family: 'integer' }>, isWeight: boolean): Side {
  const { format, group, scheme } = quantizer
  const { bits } = format.element
  const operand = isWeight ? 'Weights' : 'Activations'
  const row = isWeight ? 'channel' : 'token'
  const deviations: string[] = []
  if (scheme === 'sym-max') {
    deviations.push(
      `${operand}: measured with scales amax / ${2 ** (bits - 1) - 1} (sym-max); compressed-tensors takes amax / ${(2 ** bits - 1) / 2} (sym-half here).`,
    )
  }
  if (scheme === 'asym') {
    deviations.push(`${operand}: compressed-tensors adds the zero point before it rounds, so ties fall differently.`)
  }
  const span = group === 'row' ? { strategy: row } : { strategy: 'group', group_size: group }
  return {
    name: `int${bits} ${group}${scheme === 'asym' ? ' asym' : ''}`,
    facts: { num_bits: bits, type: 'int', ...span, symmetric: scheme !== 'asym' },
    deviations,
  }
}

/** null: left as loaded. */
function sideOf(quantizer: Quantizer | null, isWeight: boolean): Side | null {
  const operand = isWeight ? 'Weights' : 'Activations'
  switch (quantizer?.family) {
    case undefined:
      return null
    case 'mx':
      return mxSide(quantizer, operand)
    case 'nvfp':
      return nvfpSide(quantizer, operand)
    case 'integer':
      return integerSide(quantizer, isWeight)
    case 'sixteen-bit':
      return null
  }
}

/** Where what MX operands were measured with differs from the one way compressed-tensors has. */
function mxDeviations(setting: Setting, choices: MxChoices): string[] {
  const { weight, activation } = quantizersOf(setting, choices)
  if (weight?.family !== 'mx' && activation?.family !== 'mx') return []
  const said: string[] = []
  if (choices.scaleRule !== 'even') {
    said.push(`Scale rule: measured with ${choices.scaleRule}; compressed-tensors always takes even.`)
  }
  if (choices.rounding !== 'half-even') {
    said.push(`Rounding: measured with ${choices.rounding}; compressed-tensors rounds half to even.`)
  }
  const used = [weight, activation].some((each) => each?.family === 'mx' && each.preScale !== null)
  if (used) {
    const text = preScaleText(choices.preScale, [{ ...setting, outputFormat: null }], choices.scaleRule)
    said.push(`Pre-scale ${text}: not reproduced; compressed-tensors has none.`)
  }
  return said
}

/** The cache as FP8 with one scale per tensor, which is what runtimes read; null where it stays or cannot be said. */
function cacheOf({ outputFormat }: Setting): {
  readonly cache: YamlMap | null
  readonly deviations: readonly string[]
} {
  if (outputFormat === null) return { cache: null, deviations: [] }
  if (outputFormat.startsWith('mxfp8')) {
    return {
      cache: { num_bits: 8, type: 'float', strategy: 'tensor', symmetric: true, dynamic: false },
      deviations: [
        `Key-value cache: measured in ${outputFormat}; the recipe takes FP8 with one scale per tensor, which runtimes read.`,
      ],
    }
  }
  return {
    cache: null,
    deviations: [`Key-value cache: ${outputFormat} has no counterpart; the recipe leaves the cache as it is.`],
  }
}

/** The scheme nearest to a setting. Throws InputError RE-01 where the weights are not quantized. */
export function schemeOf(setting: Setting, choices: MxChoices): Scheme {
  const { weight, activation } = quantizersOf(setting, choices)
  const weights = sideOf(weight, true)
  if (weights === null) {
    throw new InputError(
      'RE-01',
      `recipe: expected a setting with quantized weights, found ${setting.id}, which leaves them in 16 bits.`,
    )
  }
  const activations = sideOf(activation, false)
  const isNvfp4 = activations?.name === 'nvfp4'
  const { cache, deviations } = cacheOf(setting)
  const dropped = [...weights.deviations, ...(activations?.deviations ?? [])]
  const noted = isNvfp4
    ? [
        'Activations: their tensor scale comes from the calibration rows; here it came from the rows that were measured.',
      ]
    : []
  return {
    preset: PRESETS[`${weights.name}/${activations?.name ?? '16'}`] ?? null,
    weights: { ...weights.facts, dynamic: false },
    activations: activations && { ...activations.facts, dynamic: isNvfp4 ? 'local' : true },
    cache,
    needsRows: isNvfp4 || cache !== null,
    deviations: [...dropped, ...mxDeviations(setting, choices), ...noted, ...deviations],
  }
}
