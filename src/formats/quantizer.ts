import { InputError } from '../core/errors'
import {
  BLOCK_SIZES,
  type FormatChoice,
  INTEGER_SCHEMES,
  type MxFormat,
  type MxQuantizer,
  type NvfpQuantizer,
  PRE_SCALE_MAX,
  PRE_SCALE_MIN,
  type PreScale,
  type Quantizer,
  type Rounding,
  type ScaleRule,
} from './number-format'

/** The choices a user makes once for all MX operands of a run. */
export interface MxChoices {
  readonly scaleRule: ScaleRule
  readonly rounding: Rounding
  /** Asked for; takes effect on 4-bit elements under a power-of-two scale only. */
  readonly preScale: PreScale | null
  /** Elements sharing one scale: one of BLOCK_SIZES. */
  readonly blockSize: number
}

/** OCP MX v1.0 as it stands. */
export const STANDARD_MX: MxChoices = { scaleRule: 'floor', rounding: 'half-even', preScale: null, blockSize: 32 }

/** Throws InputError FM-03 for a block size MX formats cannot have, FM-04 for a pre-scale out of range. */
export function checkMxChoices({ blockSize, preScale }: MxChoices): void {
  if (!BLOCK_SIZES.includes(blockSize)) {
    throw new InputError(
      'FM-03',
      `block size of MX formats: expected one of ${BLOCK_SIZES.join(', ')}, found ${blockSize}.`,
    )
  }
  if (preScale && !(preScale.factor >= PRE_SCALE_MIN && preScale.factor <= PRE_SCALE_MAX)) {
    throw new InputError('FM-04', `pre-scale: expected ${PRE_SCALE_MIN} to ${PRE_SCALE_MAX}, found ${preScale.factor}.`)
  }
}

/** Whether a pre-scale can act: elements whose top binade is half empty, under a scale that lets them clip. */
export function takesPreScale(format: FormatChoice['format'], scaleRule: ScaleRule): boolean {
  return format.family === 'mx' && format.element.bits === 4 && scaleRule !== 'fp32'
}

function mxQuantizer(format: MxFormat, choices: MxChoices): MxQuantizer {
  checkMxChoices(choices)
  const { scaleRule, rounding, blockSize } = choices
  const preScale = takesPreScale(format, scaleRule) && choices.preScale?.factor !== 1 ? choices.preScale : null
  return { family: 'mx', format, blockSize, scaleRule, rounding, preScale, flushSubnormalBlocks: false }
}

function fourOverSix(value: string): NvfpQuantizer['fourOverSix'] {
  return value === 'mse' || value === 'mae' || value === 'max' ? value : null
}

/**
 * A format completed by its own options and, where it is an MX format, by the run's choices. Throws InputError FM-03
 * and FM-04 for choices an MX format cannot have.
 */
export function makeQuantizer({ format, options }: FormatChoice, choices: MxChoices): Quantizer {
  switch (format.family) {
    case 'mx':
      return mxQuantizer(format, choices)
    case 'nvfp': {
      const tensorScale = options['tensor-scale'] !== 'off'
      return { family: 'nvfp', format, fourOverSix: fourOverSix(String(options['four-over-six'])), tensorScale }
    }
    case 'integer': {
      const scheme = INTEGER_SCHEMES.find((each) => each === options.scheme) ?? 'sym-max'
      const group = ([32, 64, 128] as const).find((each) => String(each) === options.group) ?? 'row'
      return { family: 'integer', format, group, scheme }
    }
    case 'sixteen-bit':
      return { family: 'sixteen-bit', format }
    default:
      return format satisfies never
  }
}
