/** The command-line choices that complete an MX format, and how reports say them. */
import { preScaleText, type SettingFormats } from '../experiment/setting-text'
import { parseFormat } from '../formats/format-text'
import {
  BLOCK_SIZES,
  type NumberFormat,
  PRE_SCALE_MAX,
  PRE_SCALE_MIN,
  PRE_SCALE_VARIANTS,
  type PreScale,
  ROUNDINGS,
  SCALE_RULES,
} from '../formats/number-format'
import { type MxChoices, STANDARD_MX, takesPreScale } from '../formats/quantizer'
import { FORMATS } from '../formats/registry'
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

/** The ids of the formats that `admits` lets through, as a list. */
export function idsOf(admits: (format: NumberFormat) => boolean): string {
  return FORMATS.filter(admits)
    .map(({ id }) => id)
    .join(', ')
}

function formatsOf(settings: readonly SettingFormats[]): NumberFormat[] {
  return settings
    .flatMap(({ weightFormat, activationFormat, outputFormat }) => [weightFormat, activationFormat, outputFormat])
    .flatMap((text) => (text === null ? [] : [parseFormat(text).format]))
}

/** True when a tensor of `settings` has an MX format, which the choices act on. */
export function haveMx(settings: readonly SettingFormats[]): boolean {
  return formatsOf(settings).some(({ family }) => family === 'mx')
}

/** "scale rule floor, rounding half-even, pre-scale 3/4": the choices as they reach `settings`. */
export function mxChoicesText(
  { scaleRule, rounding, preScale, blockSize }: MxChoices,
  settings: readonly SettingFormats[],
): string {
  const block = blockSize === STANDARD_MX.blockSize ? '' : `, block ${blockSize} (not the standard)`
  return `scale rule ${scaleRule}, rounding ${rounding}, pre-scale ${preScaleText(preScale, settings, scaleRule)}${block}`
}

/** What to say about options of the command line that reach no tensor of `settings`; null when all do. */
export function unreachedNote(
  values: MxValues,
  { scaleRule }: Pick<MxChoices, 'scaleRule'>,
  settings: readonly (SettingFormats & { readonly id: string })[],
): string | null {
  const given = (names: readonly (keyof MxValues)[]) =>
    names
      .filter((name) => values[name] !== undefined)
      // All other formats round half to even, without pre-scale; saying so is no contradiction.
      .filter((name) => !(name === 'rounding' && values[name] === 'half-even'))
      .filter((name) => !(name === 'pre-scale' && values[name] === 'off'))
      .map((name) => `--${name}`)
  const takesFactor = formatsOf(settings).some((format) => takesPreScale(format, scaleRule))
  const ofMx = haveMx(settings) ? [] : given(['scale-rule', 'rounding', 'block'])
  const ofFactor = takesFactor ? [] : given(['pre-scale', 'pre-scale-variant'])
  const parts = [
    [ofMx, idsOf(({ family }) => family === 'mx')],
    [ofFactor, `${idsOf((format) => takesPreScale(format, 'floor'))} without fp32 scales`],
  ] as const
  const told = parts
    .filter(([names]) => names.length > 0)
    .map(([names, ids]) => `${names.join(', ')} (only for ${ids})`)
  return told.length > 0 ? `no tensor of ${settings.map(({ id }) => id).join(', ')} takes ${told.join(', ')}` : null
}
