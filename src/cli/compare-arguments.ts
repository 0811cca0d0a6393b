import type { ComparisonRequest } from '../experiment/request'
import { checkRequest } from '../experiment/run-comparison'
import { parseSetting } from '../experiment/settings'
import { asUsage, listOf, parse, UsageError } from './command'
import {
  CHOICES_HELP,
  DEFAULT_PRE_SCALE,
  headDimOf,
  LAYER_HELP,
  LAYER_OPTIONS,
  type LayerArguments,
  layerOf,
  methodChoices,
  seedOf,
} from './layer-arguments'
import { mxChoicesOf, unreachedNote } from './mx-arguments'

export const compareHelp = `Usage: mxscope compare FILE --weight NAME (--activations NAME | --synthetic) [options]

Compares methods on one layer: output errors of the quantized product against the one in full precision.

${LAYER_HELP}  --setting S[,S...]       W8A8, W4A8, W4A4, W4A16; with the output quantized as the KV cache stores it W8A8KV8,
                           W4A8KV8, W4A8KV4, W4A4KV4; or formats of weights, activations (and outputs) such as
                           mxfp4/mxfp8_e4m3, "int4(group=128,scheme=asym)/int8", nvfp4/16/nvfp4 (default W4A4)
  --methods M[,M...]       (default rtn,quarot,flatquant; mxscope methods lists all)
  --option METHOD.KEY=VALUE   an option of a method; may be repeated
${CHOICES_HELP}  --scale-analysis         add to every result of --json what its scales cost: exponents, errors with fp32 scales,
                           sweeps of pre-scale and block size; takes up to 19 more products per result
  --seed N                 of every random choice, 0 … 4294967295 (default 0)
  --json OUT, --csv OUT    write the results; - (one of the two) is standard output, instead of the table
`

/** The arguments of `mxscope compare`, checked as far as the command line alone allows. */
export interface CompareArguments extends LayerArguments {
  readonly request: ComparisonRequest
  readonly json: string | null
  readonly csv: string | null
  /** What was asked for and has no effect: lines for standard error. */
  readonly notes: readonly string[]
}

const OPTIONS = {
  ...LAYER_OPTIONS,
  methods: { type: 'string', default: 'rtn,quarot,flatquant' },
  'scale-analysis': { type: 'boolean', default: false },
} as const

function parseWords(args: readonly string[]) {
  return parse({ args: [...args], allowPositionals: true, options: OPTIONS })
}

type Values = ReturnType<typeof parseWords>['values']

function requestOf(values: Values): ComparisonRequest {
  const methodIds = [...new Set(listOf(values.methods))]
  const settings = listOf(values.setting).map((text) => asUsage(() => parseSetting(text)))
  if (methodIds.length === 0) throw new UsageError('--methods: expected at least one method')
  if (settings.length === 0) throw new UsageError('--setting: expected at least one setting')
  const request: ComparisonRequest = {
    settings,
    methods: methodChoices(methodIds, values.option ?? [], '--methods'),
    ...mxChoicesOf(values, { preScale: DEFAULT_PRE_SCALE }),
    seed: seedOf(values.seed),
    headDim: headDimOf(values['head-dim'], settings),
    scaleAnalysis: values['scale-analysis'],
  }
  asUsage(() => checkRequest(request))
  return request
}

function notesOf(values: Values, request: ComparisonRequest): string[] {
  const unreached = unreachedNote(values, request, request.settings)
  const csv = request.scaleAnalysis && values.csv !== undefined ? '--csv has no scale analysis; --json has it' : null
  return [unreached, csv].filter((note) => note !== null)
}

/** Parses and checks the command line. Throws UsageError. */
export function parseCompare(args: readonly string[]): CompareArguments {
  const { values, positionals } = parseWords(args)
  const layer = layerOf(positionals, values)
  const request = requestOf(values)
  return { ...layer, request, json: values.json ?? null, csv: values.csv ?? null, notes: notesOf(values, request) }
}
