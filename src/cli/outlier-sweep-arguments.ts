/** The command line of `mxscope sweep --parameter outlier-strength`: methods and formats on synthetic layers. */
import { DEFAULT_OUTLIER_STUDY } from '../experiment/outlier-defaults'
import { checkOutlierStudy, MAX_REPEATS, type OutlierStudyRequest } from '../experiment/outlier-study'
import { formatText, parseFormat } from '../formats/format-text'
import { TAIL_DEGREES } from '../io/synthetic'
import { MAX_CORRELATION, MAX_OUTLIER_STRENGTH } from '../io/synthetic-layer'
import { asUsage, listOf, parse, UsageError } from './command'
import { MX_HELP, methodChoices, seedOf } from './layer-arguments'
import { MX_OPTIONS, mxChoicesOf } from './mx-arguments'
import { realNumber } from './synthetic-arguments'

/** The parameter that makes a sweep one of this kind. */
export const STRENGTH_PARAMETER = 'outlier-strength'

const { layer: LAYER, strengths, formats, methods } = DEFAULT_OUTLIER_STUDY

export const outlierSweepHelp = `
Usage: mxscope sweep --parameter ${STRENGTH_PARAMETER} [options]

Runs methods and formats on seeded synthetic layers: relative output errors over the strength k of outlier channels, and
where the curves cross that of RTN (docs/activations.md).

  --values V[,V...]        strengths, 1 … ${MAX_OUTLIER_STRENGTH} (default ${strengths.join(',')})
  --outliers N             outlier channels (default ${LAYER.outlierChannels})
  --correlation=A          weight columns at the outliers are multiplied by k^-A, ${-MAX_CORRELATION} … ${MAX_CORRELATION} (default ${LAYER.correlation})
  --tail NU                activations from Student's t with NU degrees of freedom, ${TAIL_DEGREES.join(' … ')} (default: Gaussian)
  --clustered              outlier channels side by side from a multiple of 32
  --in N, --out N          width and height of the weight (default ${LAYER.inDim}, ${LAYER.outDim})
  --tokens N               rows to calibrate on, and as many to measure on (default ${LAYER.tokens})
  --formats F[,F...]       each for weights and activations (default ${formats.join(',')})
  --methods M[,M...]       (default ${methods.map(({ id }) => id).join(',')})
  --option METHOD.KEY=VALUE   an option of a method; may be repeated
  --repeats N              layers per strength, seeds N apart by one; points are means, 1 … ${MAX_REPEATS} (default 1)
${MX_HELP}  --seed N                 of layers and methods, 0 … 4294967295 (default 0)
  --json OUT, --csv OUT    write the points; - (one of the two) is standard output, instead of the table
`

/** The arguments, checked. */
export interface OutlierSweepArguments {
  readonly request: OutlierStudyRequest
  readonly json: string | null
  readonly csv: string | null
}

const OPTIONS = {
  parameter: { type: 'string' },
  values: { type: 'string' },
  outliers: { type: 'string' },
  correlation: { type: 'string' },
  tail: { type: 'string' },
  clustered: { type: 'boolean', default: false },
  in: { type: 'string' },
  out: { type: 'string' },
  tokens: { type: 'string' },
  formats: { type: 'string' },
  methods: { type: 'string' },
  option: { type: 'string', multiple: true },
  repeats: { type: 'string' },
  ...MX_OPTIONS,
  seed: { type: 'string' },
  json: { type: 'string' },
  csv: { type: 'string' },
} as const

/** Options of the other kind of sweep, and what stands in their place here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  method: '--methods M[,M...]',
  setting: '--formats F[,F...], each for weights and activations',
  weight: '--in and --out, because layers are made here',
  activations: '--tokens and --tail, because layers are made here',
  synthetic: '--outliers, --correlation and --tail, because layers are made here',
}

/** Throws UsageError for a FILE and for options of the other kind of sweep. */
function refuseElsewhere(args: readonly string[]): void {
  const given = args.map((word) => /^--([^=]+)/.exec(word)?.[1] ?? '').find((name) => Object.hasOwn(ELSEWHERE, name))
  if (given !== undefined) {
    throw new UsageError(`--parameter ${STRENGTH_PARAMETER}: expected ${ELSEWHERE[given]}; found --${given}`)
  }
}

/** True for command lines of `sweep` that ask for outlier strength. */
export function isOutlierSweep(args: readonly string[]): boolean {
  return args.some(
    (word, i) =>
      word === `--parameter=${STRENGTH_PARAMETER}` || (word === '--parameter' && args[i + 1] === STRENGTH_PARAMETER),
  )
}

/** Parses and checks the command line. Throws UsageError. */
export function parseOutlierSweep(args: readonly string[]): OutlierSweepArguments {
  refuseElsewhere(args)
  const { values, positionals } = parse({ args: [...args], allowPositionals: true, options: OPTIONS })
  if (positionals.length > 0) {
    throw new UsageError(
      `--parameter ${STRENGTH_PARAMETER}: expected no FILE, because layers are made here; found "${positionals[0]}"`,
    )
  }
  const number = (name: 'outliers' | 'in' | 'out' | 'tokens' | 'correlation' | 'repeats', fallback: number) =>
    realNumber(name, values[name], fallback)
  if (values.json === '-' && values.csv === '-') {
    throw new UsageError('--json -, --csv -: expected standard output for one of the two')
  }
  const request: OutlierStudyRequest = {
    layer: {
      outDim: number('out', LAYER.outDim),
      inDim: number('in', LAYER.inDim),
      tokens: number('tokens', LAYER.tokens),
      outlierChannels: number('outliers', LAYER.outlierChannels),
      correlation: number('correlation', LAYER.correlation),
      tailDegrees: values.tail === undefined ? LAYER.tailDegrees : realNumber('tail', values.tail, Number.NaN),
      clustered: values.clustered,
    },
    strengths:
      values.values === undefined
        ? strengths
        : listOf(values.values).map((word) => realNumber('values', word, Number.NaN)),
    formats:
      values.formats === undefined
        ? formats
        : listOf(values.formats).map((text) => asUsage(() => formatText(parseFormat(text)))),
    methods: methodChoices(
      values.methods === undefined ? methods.map(({ id }) => id) : listOf(values.methods),
      values.option ?? [],
      '--methods',
    ),
    repeats: number('repeats', 1),
    seed: seedOf(values.seed),
    ...mxChoicesOf(values, { preScale: DEFAULT_OUTLIER_STUDY.preScale }),
  }
  asUsage(() => checkOutlierStudy(request))
  return { request, json: values.json ?? null, csv: values.csv ?? null }
}
