/** The command-line choices that complete an MX format: scale rule, rounding, pre-scale, block size. */
import {
  BLOCK_SIZES,
  PRE_SCALE_MAX,
  PRE_SCALE_MIN,
  PRE_SCALE_VARIANTS,
  type PreScale,
  ROUNDINGS,
  SCALE_RULES,
} from '../formats/number-format'
import { type MxChoices, STANDARD_MX } from '../formats/quantizer'
import { oneOf, UsageError } from './command'

/** For the `options` of parseArgs. */
export const MX_OPTIONS = {
  'scale-rule': { type: 'string' },
  rounding: { type: 'string' },
  'pre-scale': { type: 'string' },
  'pre-scale-variant': { type: 'string' },
  block: { type: 'string' },
} as const

/** What parseArgs found of MX_OPTIONS. */
export type MxValues = { readonly [Name in keyof typeof MX_OPTIONS]?: string | undefined }

/** `--pre-scale F|off`; null is off. */
function factorOf(text: string | undefined, fallback: number | null): number | null {
  if (text === undefined) return fallback
  if (text === 'off') return null
  const factor = text.trim() === '' ? Number.NaN : Number(text)
  if (factor >= PRE_SCALE_MIN && factor <= PRE_SCALE_MAX) return factor
  throw new UsageError(`--pre-scale: expected ${PRE_SCALE_MIN} to ${PRE_SCALE_MAX} or off, found "${text}"`)
}

function preScaleOf(values: MxValues, fallback: PreScale | null): PreScale | null {
  const factor = factorOf(values['pre-scale'], fallback?.factor ?? null)
  const given = values['pre-scale-variant']
  const variant = oneOf('pre-scale-variant', given, { choices: PRE_SCALE_VARIANTS, fallback: 'exact' })
  if (factor === null && given !== undefined) {
    throw new UsageError(
      `--pre-scale-variant ${given}: expected a --pre-scale from ${PRE_SCALE_MIN} to ${PRE_SCALE_MAX}`,
    )
  }
  return factor === null ? null : { factor, variant }
}

/** The choices on the command line, completed by the standard's and `preScale`. Throws UsageError. */
export function mxChoicesOf(values: MxValues, { preScale }: Pick<MxChoices, 'preScale'>): MxChoices {
  const block = oneOf('block', values.block, {
    choices: BLOCK_SIZES.map(String),
    fallback: String(STANDARD_MX.blockSize),
  })
  return {
    scaleRule: oneOf('scale-rule', values['scale-rule'], { choices: SCALE_RULES, fallback: STANDARD_MX.scaleRule }),
    rounding: oneOf('rounding', values.rounding, { choices: ROUNDINGS, fallback: STANDARD_MX.rounding }),
    preScale: preScaleOf(values, preScale),
    blockSize: Number(block),
  }
}
