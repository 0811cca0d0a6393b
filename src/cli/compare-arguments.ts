import { MAX_HELD_OUT_SHARE } from '../experiment/load-layer'
import type { ComparisonRequest, MethodChoice } from '../experiment/request'
import { checkRequest } from '../experiment/run-comparison'
import { parseSetting } from '../experiment/settings'
import { ROUNDINGS, SCALE_RULES } from '../formats/number-format'
import { DEFAULT_SYNTHETIC, type SyntheticSpec } from '../io/synthetic'
import type { OptionValue } from '../methods/options'
import { asUsage, listOf, oneOf, parse, preScaleOf, UsageError, wholeNumber } from './command'

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
  --setting S[,S...]       W8A8, W4A8, W4A4, W4A16, or pairs such as mxfp4/mxfp8_e4m3 (default W4A4)
  --methods M[,M...]       (default rtn,quarot,flatquant; mxscope methods lists all)
  --option METHOD.KEY=VALUE   an option of a method; may be repeated
  --scale-rule RULE        ${SCALE_RULES.join(' | ')} (default floor)
  --rounding MODE          ${ROUNDINGS.join(' | ')} (default half-even)
  --pre-scale 0.75|off     pre-scale of 4-bit operands (default 0.75)
  --seed N                 of every random choice, 0 … 4294967295 (default 0)
  --json OUT, --csv OUT    write the results; - is standard output, instead of the table
`

const MAX_SEED = 2 ** 32 - 1
const MAX_TOKENS = 2 ** 31

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
  'scale-rule': { type: 'string' },
  rounding: { type: 'string' },
  'pre-scale': { type: 'string' },
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

function requestOf(values: Values): ComparisonRequest {
  const methodIds = [...new Set(listOf(values.methods))]
  const settings = listOf(values.setting).map((text) => asUsage(() => parseSetting(text)))
  if (methodIds.length === 0) throw new UsageError('--methods: expected at least one method')
  if (settings.length === 0) throw new UsageError('--setting: expected at least one setting')
  const request: ComparisonRequest = {
    settings,
    methods: methodChoices(methodIds, values.option ?? []),
    scaleRule: oneOf('scale-rule', values['scale-rule'], { choices: SCALE_RULES, fallback: 'floor' }),
    rounding: oneOf('rounding', values.rounding, { choices: ROUNDINGS, fallback: 'half-even' }),
    preScale: preScaleOf(values['pre-scale'], 0.75),
    seed: seedOf(values),
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
