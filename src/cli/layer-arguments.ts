/** The part of a command line that says which layer is measured, on which rows: shared by compare and sweep. */

import type { OptionValue } from '../core/options'
import { HEAD_GUESS } from '../experiment/kv-cache'
import { MAX_HELD_OUT_SHARE } from '../experiment/load-layer'
import type { MethodChoice, Setting } from '../experiment/request'
import { KV_SETTINGS } from '../experiment/settings'
import {
  BLOCK_SIZES,
  PRE_SCALE_MAX,
  PRE_SCALE_MIN,
  type PreScale,
  ROUNDINGS,
  SCALE_RULES,
} from '../formats/number-format'
import { DEFAULT_SYNTHETIC, type SyntheticSpec } from '../io/synthetic'
import { canonicalId } from '../methods/registry'
import { UsageError, wholeNumber } from './command'
import { MX_OPTIONS } from './mx-arguments'

/** On unless turned off, because the W4A4 tables of arXiv 2601.09555 use it. */
export const DEFAULT_PRE_SCALE: PreScale = { factor: 0.75, variant: 'exact' }

const MAX_SEED = 2 ** 32 - 1
const MAX_TOKENS = 2 ** 31
const MAX_HEAD_DIM = 2 ** 24

/** The help of --weight to --outlier-gain. */
export const LAYER_HELP = `  --weight NAME            weight tensor [out, in]; [in, out] is recognised by the width of the activations
  --activations NAME       activation tensor [..., in]: the calibration rows
  --activations-file F     file that holds it, when it is not FILE
  --eval NAME              activation tensor of the evaluation rows, in the activations' file or FILE; without it the
                           last rows of --activations are held out
  --held-out SHARE         share of rows held out, 0 … ${MAX_HELD_OUT_SHARE}; 0 measures on the calibration rows (default 0.5)
  --tokens N               use only the first N rows of each activation tensor
  --synthetic              seeded synthetic activations instead (${DEFAULT_SYNTHETIC.tokens} rows unless --tokens)
  --outlier-channels N     their outlier channels (default ${DEFAULT_SYNTHETIC.outlierChannels})
  --outlier-gain G         and the factor on these (default ${DEFAULT_SYNTHETIC.outlierGain})
`

/** The help of --scale-rule to --head-dim. */
export const CHOICES_HELP = `  --scale-rule RULE        of MX formats: ${SCALE_RULES.join(' | ')} (default floor)
  --rounding MODE          of MX formats: ${ROUNDINGS.join(' | ')} (default half-even)
  --pre-scale F|off        of 4-bit MX formats, ${PRE_SCALE_MIN} … ${PRE_SCALE_MAX} (default ${DEFAULT_PRE_SCALE.factor})
  --pre-scale-variant V    exact: after the exponent is chosen; literal: before it (default exact)
  --block N                elements per scale of MX formats: ${BLOCK_SIZES.join(' | ')} (default 32, the standard)
  --head-dim N             channels of one head, for settings that quantize the output: a multiple of 32 that divides
                           it (default ${HEAD_GUESS})
`

/** For the `options` of parseArgs. */
export const LAYER_OPTIONS = {
  weight: { type: 'string' },
  activations: { type: 'string' },
  'activations-file': { type: 'string' },
  eval: { type: 'string' },
  'held-out': { type: 'string' },
  tokens: { type: 'string' },
  synthetic: { type: 'boolean', default: false },
  'outlier-channels': { type: 'string' },
  'outlier-gain': { type: 'string' },
  setting: { type: 'string', default: 'W4A4' },
  option: { type: 'string', multiple: true },
  ...MX_OPTIONS,
  'head-dim': { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'string' },
  csv: { type: 'string' },
} as const

/** What parseArgs found of LAYER_OPTIONS, as far as it says which layer. */
type LayerValues = {
  readonly [Name in
    | 'weight'
    | 'activations'
    | 'activations-file'
    | 'eval'
    | 'held-out'
    | 'tokens'
    | 'outlier-channels'
    | 'outlier-gain'
    | 'seed'
    | 'json'
    | 'csv']?: string | undefined
} & { readonly synthetic: boolean }

/** Which layer, on which rows. */
export interface LayerArguments {
  readonly file: string
  readonly weight: string
  readonly activations:
    | { readonly kind: 'captured'; readonly tensor: string }
    | { readonly kind: 'synthetic'; readonly spec: SyntheticSpec }
  readonly activationsFile: string | null
  readonly evaluation: string | null
  readonly heldOutShare: number
  readonly tokens: number | null
}

function realNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value))
    throw new UsageError(`--${name}: expected a number, found "${text}"`)
  return value
}

/** `METHOD.KEY=VALUE` of every --option, by method; `among` names the option that lists the methods. */
export function methodChoices(
  ids: readonly string[],
  assignments: readonly string[],
  among: '--methods' | '--method',
): MethodChoice[] {
  const options = new Map<string, Record<string, OptionValue>>(ids.map((id) => [canonicalId(id), {}]))
  for (const assignment of assignments) {
    const [, id, key, value] = /^([^=]+)\.([^.=]+)=(.*)$/.exec(assignment) ?? []
    const chosen = id === undefined ? undefined : options.get(canonicalId(id))
    if (id === undefined) throw new UsageError(`--option: expected METHOD.KEY=VALUE, found "${assignment}"`)
    if (!chosen) throw new UsageError(`--option ${assignment}: "${id}" is not among ${among} ${ids.join(',')}`)
    chosen[key] = value
  }
  return [...options].map(([id, chosen]) => ({ id, options: chosen }))
}

/** `--seed N`; 0 when absent. */
export function seedOf(text: string | undefined): number {
  return wholeNumber('seed', text, { min: 0, max: MAX_SEED, fallback: 0 })
}

/** `--head-dim N`; null when absent. Throws UsageError when no setting quantizes the output. */
export function headDimOf(text: string | undefined, settings: readonly Setting[]): number | null {
  if (text === undefined) return null
  if (settings.every(({ outputFormat }) => outputFormat === null)) {
    const known = KV_SETTINGS.map(({ id }) => id).join(', ')
    throw new UsageError(`--head-dim: expected a setting that quantizes the output, such as ${known}`)
  }
  return wholeNumber('head-dim', text, { min: 1, max: MAX_HEAD_DIM, fallback: 1 })
}

function syntheticOf(values: LayerValues, tokens: number | null): SyntheticSpec {
  const { outlierChannels, outlierGain } = DEFAULT_SYNTHETIC
  const range = { min: 0, max: MAX_TOKENS, fallback: outlierChannels }
  return {
    tokens: tokens ?? DEFAULT_SYNTHETIC.tokens,
    outlierChannels: wholeNumber('outlier-channels', values['outlier-channels'], range),
    outlierGain: realNumber('outlier-gain', values['outlier-gain'], outlierGain),
    seed: seedOf(values.seed),
  }
}

function heldOutShareOf(values: LayerValues): number {
  const share = realNumber('held-out', values['held-out'], 0.5)
  if (share >= 0 && share <= MAX_HELD_OUT_SHARE) return share
  throw new UsageError(`--held-out: expected 0 to ${MAX_HELD_OUT_SHARE}, found "${values['held-out']}"`)
}

/** The layer of a command line. Throws UsageError for a missing name, options that exclude each other, numbers out of range. */
export function layerOf(positionals: readonly string[], values: LayerValues): LayerArguments {
  if (positionals.length !== 1) throw new UsageError(`expected one FILE, found ${positionals.length}`)
  if (values.weight === undefined) throw new UsageError('expected --weight NAME')
  if (values.synthetic === (values.activations !== undefined)) {
    throw new UsageError('expected either --activations NAME or --synthetic')
  }
  if (values.synthetic && (values.eval !== undefined || values['activations-file'] !== undefined)) {
    throw new UsageError('--eval and --activations-file go with --activations, not with --synthetic')
  }
  if (values.json === '-' && values.csv === '-') {
    throw new UsageError('--json -, --csv -: expected standard output for one of the two')
  }
  const tokens =
    values.tokens === undefined ? null : wholeNumber('tokens', values.tokens, { min: 1, max: MAX_TOKENS, fallback: 1 })
  return {
    file: positionals[0],
    weight: values.weight,
    activations:
      values.activations === undefined
        ? { kind: 'synthetic', spec: syntheticOf(values, tokens) }
        : { kind: 'captured', tensor: values.activations },
    activationsFile: values['activations-file'] ?? null,
    evaluation: values.eval ?? null,
    heldOutShare: heldOutShareOf(values),
    tokens,
  }
}
