import type { ComparisonRequest } from '../experiment/request'
import { checkRequest } from '../experiment/run-comparison'
import { parseSetting } from '../experiment/settings'
import { asUsage, listOf, parse, UsageError, wholeNumber } from './command'
import { globMatcher, isPattern } from './glob'
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
  --buffer-limit BYTES     no GPU buffer larger than this, as on a device with such a limit; a layer beyond it is taken in
                           pieces (default: what the device allows)
  --seed N                 of every random choice, 0 … 4294967295 (default 0)
  --json OUT, --csv OUT    write the results; - (one of the two) is standard output, instead of the table
  --results OUT            write everything the figures need, for the page to open
  --jsonl OUT              --weight is a pattern (* any characters, ? one, {a,b} either): a line of JSON for each weight,
                           written when it is done
  --resume                 leave out weights whose line is in --jsonl already, made with the same settings
`

/** The arguments of `mxscope compare`, checked as far as the command line alone allows. */
export interface CompareArguments extends LayerArguments {
  readonly request: ComparisonRequest
  readonly json: string | null
  readonly csv: string | null
  /** Where the results for the page go; null: nowhere. */
  readonly results: string | null
  /** Where the lines of several weights go; null: `weight` is a name, not a pattern. */
  readonly jsonl: string | null
  readonly resume: boolean
  /** Bytes no GPU buffer may exceed; null: those the device allows. */
  readonly bufferLimit: number | null
  /** What was asked for and has no effect: lines for standard error. */
  readonly notes: readonly string[]
}

const OPTIONS = {
  ...LAYER_OPTIONS,
  methods: { type: 'string', default: 'rtn,quarot,flatquant' },
  'scale-analysis': { type: 'boolean', default: false },
  results: { type: 'string' },
  jsonl: { type: 'string' },
  resume: { type: 'boolean', default: false },
  'buffer-limit': { type: 'string' },
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
  const methods = methodChoices(methodIds, values.option ?? [], '--methods')
  const request: ComparisonRequest = {
    settings,
    methods,
    ...mxChoicesOf(values, { preScale: DEFAULT_PRE_SCALE }),
    seed: seedOf(values.seed),
    headDim: headDimOf(values['head-dim'], { settings, methods }),
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

/** Throws UsageError unless a pattern of weights and --jsonl come together. */
function linesOf(
  weight: string,
  { json, csv, results, jsonl, resume }: Values,
): Pick<CompareArguments, 'jsonl' | 'resume'> {
  if (jsonl === undefined) {
    if (isPattern(weight)) throw new UsageError(`--weight ${weight}: a pattern goes with --jsonl OUT`)
    if (resume) throw new UsageError('--resume: only with --jsonl')
    return { jsonl: null, resume: false }
  }
  if (json !== undefined || csv !== undefined || results !== undefined) {
    throw new UsageError('--jsonl: not together with --json, --csv or --results')
  }
  globMatcher(weight)
  return { jsonl, resume }
}

/** `--buffer-limit BYTES`; null when absent. */
function bufferLimitOf(text: string | undefined): number | null {
  if (text === undefined) return null
  return wholeNumber('buffer-limit', text, { min: 1, max: Number.MAX_SAFE_INTEGER, fallback: 1 })
}

/** Parses and checks the command line. Throws UsageError. */
export function parseCompare(args: readonly string[]): CompareArguments {
  const { values, positionals } = parseWords(args)
  const layer = layerOf(positionals, values)
  const request = requestOf(values)
  return {
    ...{ ...layer, request, json: values.json ?? null, csv: values.csv ?? null, notes: notesOf(values, request) },
    ...linesOf(layer.weight, values),
    results: values.results ?? null,
    bufferLimit: bufferLimitOf(values['buffer-limit']),
  }
}
