/** The part of a command line that says which layer is measured, on which rows: shared by compare and sweep. */

import type { OptionValue } from '../core/options'
import { HEAD_GUESS } from '../experiment/kv-cache'
import type { MethodChoice, Setting } from '../experiment/request'
import { KV_SETTINGS } from '../experiment/settings'
import { MAX_HELD_OUT_SHARE } from '../experiment/split-rows'
import {
  BLOCK_SIZES,
  PRE_SCALE_MAX,
  PRE_SCALE_MIN,
  type PreScale,
  ROUNDINGS,
  SCALE_RULES,
} from '../formats/number-format'
import { canonicalId } from '../methods/registry'
import { UsageError, wholeNumber } from './command'
import { MX_OPTIONS } from './mx-arguments'
import {
  realNumber,
  SYNTHETIC_HELP,
  SYNTHETIC_OPTIONS,
  type SyntheticArguments,
  type SyntheticValues,
  syntheticOf,
} from './synthetic-arguments'

/** On unless turned off, because the W4A4 tables of arXiv 2601.09555 use it. */
export const DEFAULT_PRE_SCALE: PreScale = { factor: 0.75, variant: 'exact' }

const MAX_SEED = 2 ** 32 - 1
const MAX_TOKENS = 2 ** 31
const MAX_HEAD_DIM = 2 ** 24

/** The help of --weight to --outlier-gain. */
export const LAYER_HELP = `  --weight NAME            weight tensor [out, in]; [in, out] is recognised by the width of the activations
  --activations NAME       activation tensor [..., in]: the calibration rows; {module} stands for the name of the weight
                           without ".weight"; auto: its <module>.input, or that of a projection that shares it
  --activations-file F     file that holds it, when it is not FILE
  --eval NAME              activation tensor of the evaluation rows, in the activations' file or FILE; without it the
                           last rows of --activations are held out
  --held-out SHARE         share of rows held out, 0 … ${MAX_HELD_OUT_SHARE}; 0 measures on the calibration rows (default 0.5)
  --tokens N|A:B           use only the first N rows of each activation tensor, or rows A to B − 1
${SYNTHETIC_HELP}`

/** The help of --scale-rule to --block. */
export const MX_HELP = `  --scale-rule RULE        of MX formats: ${SCALE_RULES.join(' | ')} (default floor)
  --rounding MODE          of MX formats: ${ROUNDINGS.join(' | ')} (default half-even)
  --pre-scale F|off        of 4-bit MX formats, ${PRE_SCALE_MIN} … ${PRE_SCALE_MAX} (default ${DEFAULT_PRE_SCALE.factor})
  --pre-scale-variant V    exact: after the exponent is chosen; literal: before it (default exact)
  --block N                elements per scale of MX formats: ${BLOCK_SIZES.join(' | ')} (default 32, the standard)
`

/** The help of --scale-rule to --head-dim. */
export const CHOICES_HELP = `${MX_HELP}  --head-dim N             channels of one head, for settings that quantize the output: a multiple of 32 that divides
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
  ...SYNTHETIC_OPTIONS,
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
    | 'seed'
    | 'json'
    | 'csv']?: string | undefined
} & SyntheticValues

/** Which layer, on which rows. */
export interface LayerArguments {
  /** Several: shards of one model. */
  readonly file: string | readonly string[]
  readonly weight: string
  readonly activations: { readonly kind: 'captured'; readonly tensor: string } | SyntheticArguments
  readonly activationsFile: string | null
  readonly evaluation: string | null
  readonly heldOutShare: number
  /** The first row that is used, and at most how many from there on; null: all. */
  readonly firstToken: number
  readonly tokens: number | null
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

/** `--head-dim N`; null when absent. Throws UsageError when neither a setting nor a method has to do with heads. */
export function headDimOf(
  text: string | undefined,
  { settings, methods }: { readonly settings: readonly Setting[]; readonly methods: readonly MethodChoice[] },
): number | null {
  if (text === undefined) return null
  const isUsed =
    settings.some(({ outputFormat }) => outputFormat !== null) || methods.some(({ options }) => options.span === 'head')
  if (!isUsed) {
    const known = KV_SETTINGS.map(({ id }) => id).join(', ')
    throw new UsageError(
      `--head-dim: expected a setting that quantizes the output, such as ${known}, or an option span=head of a rotation`,
    )
  }
  return wholeNumber('head-dim', text, { min: 1, max: MAX_HEAD_DIM, fallback: 1 })
}

/** `--tokens N` or `--tokens A:B`. */
function tokenRange(text: string | undefined): Pick<LayerArguments, 'firstToken' | 'tokens'> {
  const [, first, end] = /^(\d+):(\d+)$/.exec(text ?? '') ?? []
  if (text === undefined) return { firstToken: 0, tokens: null }
  if (first === undefined || end === undefined) {
    return { firstToken: 0, tokens: wholeNumber('tokens', text, { min: 1, max: MAX_TOKENS, fallback: 1 }) }
  }
  if (Number(end) > Number(first)) return { firstToken: Number(first), tokens: Number(end) - Number(first) }
  throw new UsageError(`--tokens: expected the first row before the end, found "${text}"`)
}

function heldOutShareOf(values: LayerValues): number {
  const share = realNumber('held-out', values['held-out'], 0.5)
  if (share >= 0 && share <= MAX_HELD_OUT_SHARE) return share
  throw new UsageError(`--held-out: expected 0 to ${MAX_HELD_OUT_SHARE}, found "${values['held-out']}"`)
}

/** The layer of a command line. Throws UsageError for a missing name, options that exclude each other, numbers out of range. */
export function layerOf(positionals: readonly string[], values: LayerValues): LayerArguments {
  if (positionals.length === 0) throw new UsageError('expected one FILE, or the shards of a model, found none')
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
  const { firstToken, tokens } = tokenRange(values.tokens)
  if (values.synthetic && firstToken > 0) {
    throw new UsageError(`--tokens ${values.tokens}: expected a number of rows with --synthetic`)
  }
  return {
    file: positionals.length === 1 ? positionals[0] : positionals,
    weight: values.weight,
    activations:
      values.activations === undefined
        ? syntheticOf(values, { tokens, seed: seedOf(values.seed) })
        : { kind: 'captured', tensor: values.activations },
    activationsFile: values['activations-file'] ?? null,
    evaluation: values.eval ?? null,
    heldOutShare: heldOutShareOf(values),
    firstToken,
    tokens,
  }
}
