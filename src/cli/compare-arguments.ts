import type { OptionValue } from '../core/options'
import { MAX_HELD_OUT_SHARE } from '../experiment/load-layer'
import type { ComparisonRequest, MethodChoice, Setting } from '../experiment/request'
import { checkRequest } from '../experiment/run-comparison'
import { KV_SETTINGS, parseSetting } from '../experiment/settings'
import {
  BLOCK_SIZES,
  PRE_SCALE_MAX,
  PRE_SCALE_MIN,
  type PreScale,
  ROUNDINGS,
  SCALE_RULES,
} from '../formats/number-format'
import { DEFAULT_SYNTHETIC, type SyntheticSpec } from '../io/synthetic'
import { asUsage, listOf, parse, UsageError, wholeNumber } from './command'
import { MX_OPTIONS, mxChoicesOf } from './mx-arguments'

/** On unless turned off, because the W4A4 tables of arXiv 2601.09555 use it. */
const DEFAULT_PRE_SCALE: PreScale = { factor: 0.75, variant: 'exact' }

export const compareHelp = `Usage: mxscope compare FILE --weight NAME (--activations NAME | --synthetic) [options]

Compares methods on one layer: output errors of the quantized product against the one in full precision.

  --weight NAME            weight tensor [out, in]; [in, out] is recognised by the width of the activations
  --activations NAME       activation tensor [..., in]: the calibration rows
  --activations-file F     file that holds it, when it is not FILE
  --eval NAME              activation tensor of the evaluation rows, in the activations' file or FILE; without it the
                           last rows of --activations are held out
  --held-out SHARE         share of rows held out, 0 … ${MAX_HELD_OUT_SHARE}; 0 measures on the calibration rows (default 0.5)
  --tokens N               use only the first N rows of each activation tensor
  --synthetic              seeded synthetic activations instead (${DEFAULT_SYNTHETIC.tokens} rows unless --tokens)
  --outlier-channels N     their outlier channels (default ${DEFAULT_SYNTHETIC.outlierChannels})
  --outlier-gain G         and the factor on these (default ${DEFAULT_SYNTHETIC.outlierGain})
  --setting S[,S...]       W8A8, W4A8, W4A4, W4A16; with the output quantized as the KV cache stores it W8A8KV8,
                           W4A8KV8, W4A8KV4, W4A4KV4; or formats of weights, activations (and outputs) such as
                           mxfp4/mxfp8_e4m3, "int4(group=128,scheme=asym)/int8", nvfp4/16/nvfp4 (default W4A4)
  --methods M[,M...]       (default rtn,quarot,flatquant; mxscope methods lists all)
  --option METHOD.KEY=VALUE   an option of a method; may be repeated
  --scale-rule RULE        of MX formats: ${SCALE_RULES.join(' | ')} (default floor)
  --rounding MODE          of MX formats: ${ROUNDINGS.join(' | ')} (default half-even)
  --pre-scale F|off        of 4-bit MX formats, ${PRE_SCALE_MIN} … ${PRE_SCALE_MAX} (default ${DEFAULT_PRE_SCALE.factor})
  --pre-scale-variant V    exact: after the exponent is chosen; literal: before it (default exact)
  --block N                elements per scale of MX formats: ${BLOCK_SIZES.join(' | ')} (default 32, the standard)
  --head-dim N             channels of one head, for settings that quantize the output: a multiple of 32 that divides
                           it (default 128 where it does, else 64, else the whole row)
  --scale-analysis         add to every result of --json what its scales cost: exponents, errors with fp32 scales,
                           sweeps of pre-scale and block size; takes up to some 20 more products per result
  --seed N                 of every random choice, 0 … 4294967295 (default 0)
  --json OUT, --csv OUT    write the results; - is standard output, instead of the table
`

const MAX_SEED = 2 ** 32 - 1
const MAX_TOKENS = 2 ** 31
const MAX_HEAD_DIM = 2 ** 24

/** The arguments of `mxscope compare`, checked as far as the command line alone allows. */
export interface CompareArguments {
  readonly file: string
  readonly weight: string
  readonly activations:
    | { readonly kind: 'captured'; readonly tensor: string }
    | { readonly kind: 'synthetic'; readonly spec: SyntheticSpec }
  readonly activationsFile: string | null
  readonly evaluation: string | null
  readonly heldOutShare: number
  readonly tokens: number | null
  readonly request: ComparisonRequest
  readonly json: string | null
  readonly csv: string | null
}

const OPTIONS = {
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
  methods: { type: 'string', default: 'rtn,quarot,flatquant' },
  option: { type: 'string', multiple: true },
  ...MX_OPTIONS,
  'head-dim': { type: 'string' },
  'scale-analysis': { type: 'boolean', default: false },
  seed: { type: 'string' },
  json: { type: 'string' },
  csv: { type: 'string' },
} as const

function realNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value))
    throw new UsageError(`--${name}: expected a number, found "${text}"`)
  return value
}

/** `METHOD.KEY=VALUE` of every --option, by method. */
function methodChoices(ids: readonly string[], assignments: readonly string[]): MethodChoice[] {
  const options = new Map<string, Record<string, OptionValue>>(ids.map((id) => [id, {}]))
  for (const assignment of assignments) {
    const [, id, key, value] = /^([^=]+)\.([^.=]+)=(.*)$/.exec(assignment) ?? []
    const chosen = options.get(id)
    if (id === undefined) throw new UsageError(`--option: expected METHOD.KEY=VALUE, found "${assignment}"`)
    if (!chosen) throw new UsageError(`--option ${assignment}: "${id}" is not among --methods ${ids.join(',')}`)
    chosen[key] = value
  }
  return ids.map((id) => ({ id, options: options.get(id) ?? {} }))
}

function parseWords(args: readonly string[]) {
  return parse({ args: [...args], allowPositionals: true, options: OPTIONS })
}

type Values = ReturnType<typeof parseWords>['values']

function seedOf(values: Values): number {
  return wholeNumber('seed', values.seed, { min: 0, max: MAX_SEED, fallback: 0 })
}

function headDimOf(values: Values, settings: readonly Setting[]): number | null {
  const text = values['head-dim']
  if (text === undefined) return null
  if (settings.every(({ outputFormat }) => outputFormat === null)) {
    const known = KV_SETTINGS.map(({ id }) => id).join(', ')
    throw new UsageError(`--head-dim: expected a setting that quantizes the output, such as ${known}`)
  }
  return wholeNumber('head-dim', text, { min: 1, max: MAX_HEAD_DIM, fallback: 1 })
}

function requestOf(values: Values): ComparisonRequest {
  const methodIds = [...new Set(listOf(values.methods))]
  const settings = listOf(values.setting).map((text) => asUsage(() => parseSetting(text)))
  if (methodIds.length === 0) throw new UsageError('--methods: expected at least one method')
  if (settings.length === 0) throw new UsageError('--setting: expected at least one setting')
  const request: ComparisonRequest = {
    settings,
    methods: methodChoices(methodIds, values.option ?? []),
    ...mxChoicesOf(values, { preScale: DEFAULT_PRE_SCALE }),
    seed: seedOf(values),
    headDim: headDimOf(values, settings),
    scaleAnalysis: values['scale-analysis'],
  }
  asUsage(() => checkRequest(request))
  return request
}

function syntheticOf(values: Values, tokens: number | null): SyntheticSpec {
  const { outlierChannels, outlierGain } = DEFAULT_SYNTHETIC
  const range = { min: 0, max: MAX_TOKENS, fallback: outlierChannels }
  return {
    tokens: tokens ?? DEFAULT_SYNTHETIC.tokens,
    outlierChannels: wholeNumber('outlier-channels', values['outlier-channels'], range),
    outlierGain: realNumber('outlier-gain', values['outlier-gain'], outlierGain),
    seed: seedOf(values),
  }
}

function heldOutShareOf(values: Values): number {
  const share = realNumber('held-out', values['held-out'], 0.5)
  if (share >= 0 && share <= MAX_HELD_OUT_SHARE) return share
  throw new UsageError(`--held-out: expected 0 to ${MAX_HELD_OUT_SHARE}, found "${values['held-out']}"`)
}

/** Parses and checks the command line. Throws UsageError. */
export function parseCompare(args: readonly string[]): CompareArguments {
  const { values, positionals } = parseWords(args)
  if (positionals.length !== 1) throw new UsageError(`expected one FILE, found ${positionals.length}`)
  if (values.weight === undefined) throw new UsageError('expected --weight NAME')
  if (values.synthetic === (values.activations !== undefined)) {
    throw new UsageError('expected either --activations NAME or --synthetic')
  }
  if (values.synthetic && (values.eval !== undefined || values['activations-file'] !== undefined)) {
    throw new UsageError('--eval and --activations-file go with --activations, not with --synthetic')
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
    request: requestOf(values),
    json: values.json ?? null,
    csv: values.csv ?? null,
  }
}
