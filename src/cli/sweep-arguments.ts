/** The command line of `mxscope sweep`: one setting, one method, the values of one parameter. */
import type { SweepRequest } from '../experiment/request'
import { parseSetting } from '../experiment/settings'
import { checkSweep } from '../experiment/sweep'
import { type SweptLayer, sweepParameters, sweepValues } from '../experiment/sweep-parameters'
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
import { STRENGTH_PARAMETER } from './outlier-sweep-arguments'

export const sweepHelp = `Usage: mxscope sweep FILE --weight NAME (--activations NAME | --synthetic) --method ID --parameter KEY [options]

Runs one method under one setting for several values of one parameter: output errors over that parameter.

${LAYER_HELP}  --setting S              one setting, as compare takes it (default W4A4)
  --method ID              one method (mxscope methods lists all)
  --option ID.KEY=VALUE    an option of the method that stays the same; may be repeated
  --parameter KEY          a numeric option of the method, or tokens: the number of calibration rows, the first ones;
                           evaluation rows stay what they are
  --values V[,V...]        its values (default: a usual range)
${CHOICES_HELP}  --seed N                 of every random choice, 0 … 4294967295 (default 0)
  --json OUT, --csv OUT    write the points; - (one of the two) is standard output, instead of the table
`

/** The arguments of `mxscope sweep`, checked as far as the command line alone allows. */
export interface SweepArguments extends LayerArguments {
  /** What is swept; `values` are null for a usual range, which may depend on the layer. */
  readonly request: Omit<SweepRequest, 'values'> & { readonly values: readonly number[] | null }
  readonly json: string | null
  readonly csv: string | null
  /** What was asked for and has no effect: lines for standard error. */
  readonly notes: readonly string[]
}

/** A layer on which the usual values are checked before the one asked for is known. */
const SOME_LAYER: SweptLayer = {
  calibrationTokens: 64,
  outDim: Number.POSITIVE_INFINITY,
  inDim: Number.POSITIVE_INFINITY,
}

const OPTIONS = {
  ...LAYER_OPTIONS,
  method: { type: 'string' },
  parameter: { type: 'string' },
  values: { type: 'string' },
} as const

function parseWords(args: readonly string[]) {
  return parse({ args: [...args], allowPositionals: true, options: OPTIONS })
}

type Values = ReturnType<typeof parseWords>['values']

function valuesOf(text: string | undefined): number[] | null {
  if (text === undefined) return null
  return listOf(text).map((word) => {
    const value = Number(word)
    if (!Number.isFinite(value)) throw new UsageError(`--values: expected numbers, found "${word}"`)
    return value
  })
}

function requestOf(values: Values): SweepArguments['request'] {
  const { method: id, parameter } = values
  if (id === undefined) throw new UsageError('expected --method ID')
  const known = asUsage(() => sweepParameters(id)).map(({ key }) => key)
  if (parameter === undefined) throw new UsageError(`expected --parameter, one of ${known.join(', ')}`)
  const settings = listOf(values.setting)
  if (settings.length !== 1) throw new UsageError(`--setting: expected one setting, found ${settings.length}`)
  const [method] = methodChoices([id], values.option ?? [], '--method')
  if (parameter in method.options) {
    throw new UsageError(`--option ${id}.${parameter}: it is what --parameter sweeps; expected its values in --values`)
  }
  const setting = asUsage(() => parseSetting(settings[0]))
  const request = {
    setting,
    method,
    parameter,
    values: valuesOf(values.values),
    ...mxChoicesOf(values, { preScale: DEFAULT_PRE_SCALE }),
    seed: seedOf(values.seed),
    headDim: headDimOf(values['head-dim'], { settings: [setting], methods: [method] }),
  }
  const tried = request.values ?? sweepValues(id, parameter, SOME_LAYER)
  asUsage(() => checkSweep({ ...request, values: tried }, null))
  return request
}

/** Parses and checks the command line. Throws UsageError. */
export function parseSweep(args: readonly string[]): SweepArguments {
  const { values, positionals } = parseWords(args)
  if (positionals.length === 0) {
    const found = values.parameter === undefined ? 'neither' : `--parameter ${values.parameter} and no FILE`
    throw new UsageError(`expected a FILE, or --parameter ${STRENGTH_PARAMETER}, which takes none; found ${found}`)
  }
  const layer = layerOf(positionals, values)
  const request = requestOf(values)
  const unreached = unreachedNote(values, request, [request.setting])
  return {
    ...layer,
    request,
    json: values.json ?? null,
    csv: values.csv ?? null,
    notes: unreached === null ? [] : [unreached],
  }
}
