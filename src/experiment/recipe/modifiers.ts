/** Methods as modifiers of LLM Compressor, and where the two differ. */
import { numberOption, type OptionValues } from '../../core/options'
import type { YamlMap } from './yaml-text'

/** A modifier by its class name, with the arguments that are given to it. */
export interface Modifier {
  readonly name: string
  readonly settings: YamlMap
}

/** Modifiers in the order they run, and what they do not reproduce, a sentence each. */
export interface Steps {
  readonly modifiers: readonly Modifier[]
  /** The id, in the registry, of what the modifiers do, where that is not what was measured. */
  readonly standsFor?: string
  readonly deviations: readonly string[]
}

const NONE: Steps = { modifiers: [], deviations: [] }

const MERGED =
  'only where a norm or a linear layer in front can take them in: attention and MLP outputs (o_proj, down_proj) are mostly left out'

function smoothing(alpha: number): Steps {
  return {
    modifiers: [{ name: 'SmoothQuantModifier', settings: { smoothing_strength: alpha } }],
    deviations: [
      'SmoothQuantModifier takes max − min of the activations and 2 · max |w|, where maxima of |x| and |w| were measured; projections with the same input share one scale.',
      `SmoothQuantModifier applies scales ${MERGED}.`,
    ],
  }
}

function awqSteps(options: OptionValues): Steps {
  const variant = String(options.variant)
  const said = [
    `AWQModifier applies scales ${MERGED}; projections with the same input share one search.`,
    'AWQModifier measures the error at the output of the whole attention or MLP block, here it was that of one layer.',
  ]
  if (options.clip === 'on') said.push('AWQModifier has no clip search; the clips measured here are not reproduced.')
  if (variant === 'activation-aware') {
    said.push('AWQModifier has no search with rounded activations as measured here; the recipe takes the plain one.')
  }
  const settings = { n_grid: numberOption(options, 'points'), duo_scaling: variant === 'duo' }
  return { modifiers: [{ name: 'AWQModifier', settings }], deviations: said }
}

const ROTATES_MODEL =
  'SpinQuantModifier rotates the residual stream (R1), each head between v_proj and o_proj (R2) and, online, the input of down_proj (R4); here the input of one layer was rotated.'
const CENTRES =
  'SpinQuantModifier also subtracts the mean of every embedding row, which changes a model with RMSNorm slightly.'

function fullRotation(type: 'hadamard' | 'random-hadamard' | 'random-matrix', blockSize: number | null): Steps {
  const block = blockSize === null ? {} : { transform_block_size: blockSize }
  const settings = { rotations: ['R1', 'R2', 'R4'], transform_type: type, ...block }
  return { modifiers: [{ name: 'SpinQuantModifier', settings }], deviations: [ROTATES_MODEL, CENTRES] }
}

function quarotSteps({ matrix, span, signs }: OptionValues): Steps {
  const type = matrix === 'orthogonal' ? 'random-matrix' : signs === 'off' ? 'hadamard' : 'random-hadamard'
  const own =
    type === 'hadamard'
      ? ['SpinQuantModifier takes hadamard for widths that are powers of two only.']
      : ['Random signs and matrices are drawn by LLM Compressor; the seed of this measurement does not reach them.']
  if (span === 'head') {
    const settings = { rotations: ['R2'], transform_type: type }
    const said =
      'SpinQuantModifier rotates heads between v_proj and o_proj (R2) only; other layers stay as they are, whatever was measured.'
    return { modifiers: [{ name: 'SpinQuantModifier', settings }], deviations: [said, CENTRES, ...own] }
  }
  const { modifiers, deviations } = fullRotation(type, span === 'full' ? null : Number(span))
  return { modifiers, deviations: [...deviations, ...own] }
}

/** Every block of the input rotated online, as MR-GPTQ does it. */
function blockRotation(blockSize: number): Steps {
  const settings = {
    rotations: ['v'],
    transform_type: 'hadamard',
    transform_block_size: blockSize,
    targets: ['Linear'],
    ignore: ['lm_head'],
  }
  return {
    modifiers: [{ name: 'QuIPModifier', settings }],
    deviations: [
      'QuIPModifier rotates the input of every layer online, with the same Hadamard matrix in all blocks; a runtime needs a kernel for it.',
    ],
  }
}

function together(...steps: readonly Steps[]): Steps {
  return {
    modifiers: steps.flatMap(({ modifiers }) => modifiers),
    deviations: steps.flatMap(({ deviations }) => deviations),
  }
}

const absent = (name: string): Steps => ({
  modifiers: [],
  standsFor: 'identity',
  deviations: [`${name} does not exist in LLM Compressor: the recipe quantizes the layers without it.`],
})

/** The steps of a transform by its id in the registry. `scaleBlock`: elements that share a scale in the weight. */
export function transformSteps(id: string, options: OptionValues, scaleBlock: number): Steps {
  switch (id) {
    case 'identity':
      return NONE
    case 'smoothquant':
      return smoothing(numberOption(options, 'alpha'))
    case 'awq':
      return awqSteps(options)
    case 'quarot':
      return quarotSteps(options)
    case 'spinquant': {
      const { modifiers, deviations } = fullRotation('random-hadamard', null)
      const said =
        'The rotation is not learned: SpinQuantModifier refuses learnable, so this is a random Hadamard rotation, as QuaRot has it.'
      return { modifiers, standsFor: 'quarot', deviations: [said, ...deviations] }
    }
    case 'block-hadamard':
      return blockRotation(options.size === 'scale-block' ? scaleBlock : Number(options.size))
    case 'scaled-hadamard':
      return together(
        smoothing(numberOption(options, 'alpha')),
        options.rotation === 'block' ? blockRotation(scaleBlock) : fullRotation('random-hadamard', null),
      )
    case 'flatquant':
      return absent('FlatQuant')
    case 'block-affine':
      return absent('The affine map per block')
    default:
      return absent(`The transform ${id}`)
  }
}

const GPTQ_BLOCK = 128

/** The modifier that quantizes, and what it leaves out, by the mitigation's id in the registry. */
export function mitigationSteps(id: string, options: OptionValues): Steps {
  const isLowRank = id.endsWith('low-rank')
  const lowRank = isLowRank ? [lowRankDeviation(options)] : []
  if (!id.startsWith('gptq')) {
    const modifiers = [{ name: 'QuantizationModifier', settings: {} }]
    return { modifiers, ...(isLowRank ? { standsFor: 'round-to-nearest' } : {}), deviations: lowRank }
  }
  const { scales, order } = options
  const said: string[] = []
  if (scales !== 'static') {
    said.push(`GPTQModifier takes block scales from the original weights; measured with scales ${scales}.`)
  }
  if (order === 'group-order') {
    said.push('GPTQModifier has no order of whole blocks; the recipe goes by activation order (static).')
  }
  const settings = {
    block_size: GPTQ_BLOCK,
    dampening_frac: numberOption(options, 'damping'),
    actorder: order === 'natural' ? null : 'static',
  }
  const modifiers = [{ name: 'GPTQModifier', settings }]
  return { modifiers, ...(isLowRank ? { standsFor: 'gptq' } : {}), deviations: [...said, ...lowRank] }
}

/** Modifiers that look at the activations of calibration rows. */
const CALIBRATED: ReadonlySet<string> = new Set(['AWQModifier', 'GPTQModifier', 'SmoothQuantModifier'])

/** True when one of `modifiers` needs calibration rows whatever the number formats are. */
export const needsRows = (modifiers: readonly Modifier[]): boolean => modifiers.some(({ name }) => CALIBRATED.has(name))

function lowRankDeviation(options: OptionValues): string {
  return `The low-rank branch (rank ${options.rank}) does not exist in LLM Compressor and is left out.`
}
