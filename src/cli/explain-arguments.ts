/** The command line of `mxscope explain`: one rotation under one setting on one layer. */
import { checkRotationQuery, explainableRotations, type RotationQuery } from '../experiment/rotation-causes'
import { parseSetting } from '../experiment/settings'
import { methodById } from '../methods/registry'
import { asUsage, listOf, parse, UsageError, wholeNumber } from './command'
import {
  CHOICES_HELP,
  DEFAULT_PRE_SCALE,
  LAYER_HELP,
  LAYER_OPTIONS,
  type LayerArguments,
  layerOf,
  methodChoices,
  seedOf,
} from './layer-arguments'
import { mxChoicesOf, unreachedNote } from './mx-arguments'

export const explainHelp = `Usage: mxscope explain FILE --weight NAME (--activations NAME | --synthetic) [options]

Says why a rotation hurts or helps on one layer: where the error of rounding comes from before and after it, channel by
channel, the closed form of a global rotation, and the token most ruled by one channel (docs/metrics.md).

${LAYER_HELP}  --setting S              one setting of weights and activations, as compare takes it (default W4A4)
  --method ID              ${explainableRotations()
    .map(({ id }) => id)
    .join(', ')} (default quarot)
  --option ID.KEY=VALUE    an option of the method; may be repeated
${CHOICES_HELP.replace('for settings that quantize the output: a', 'for rotations of heads: a')}  --seed N                 of the rotation (default 0)
  --json OUT               write everything, with arrays of one number per channel
  --csv OUT                write a line per channel; - (one of the two) is standard output, instead of the summary
`

/** The arguments of `mxscope explain`, checked as far as the command line alone allows. */
export interface ExplainArguments extends LayerArguments {
  readonly query: RotationQuery
  readonly json: string | null
  readonly csv: string | null
  /** What was asked for and has no effect: lines for standard error. */
  readonly notes: readonly string[]
}

const OPTIONS = { ...LAYER_OPTIONS, method: { type: 'string', default: 'quarot' } } as const

/** Most channels one head may have. */
const MAX_HEAD_DIM = 2 ** 24

/** Throws UsageError for a method whose error explain cannot take apart. */
function checkRotation(id: string): void {
  const known = explainableRotations().map((method) => method.id)
  if (known.includes(id)) return
  asUsage(() => methodById(id))
  throw new UsageError(
    `--method: expected one of ${known.join(', ')}, rotations that round to nearest (noise can be followed through an ` +
      `orthogonal change of basis only); found "${id}"`,
  )
}

/** Parses and checks the command line. Throws UsageError. */
export function parseExplain(args: readonly string[]): ExplainArguments {
  const { values, positionals } = parse({ args: [...args], allowPositionals: true, options: OPTIONS })
  const layer = layerOf(positionals, values)
  const settings = listOf(values.setting).map((text) => asUsage(() => parseSetting(text)))
  if (settings.length !== 1) throw new UsageError(`--setting: expected one setting, found ${settings.length}`)
  const [{ weightFormat, activationFormat, outputFormat }] = settings
  if (outputFormat !== null) throw new UsageError('--setting: expected one that leaves the output as it is')
  const [method] = methodChoices([values.method], values.option ?? [], '--method')
  checkRotation(method.id)
  const head = values['head-dim']
  const query: RotationQuery = {
    weightFormat,
    activationFormat,
    method,
    ...mxChoicesOf(values, { preScale: DEFAULT_PRE_SCALE }),
    seed: seedOf(values.seed),
    headDim: head === undefined ? null : wholeNumber('head-dim', head, { min: 1, max: MAX_HEAD_DIM, fallback: 1 }),
  }
  asUsage(() => checkRotationQuery(query))
  const unreached = unreachedNote(values, query, settings)
  return {
    ...layer,
    query,
    json: values.json ?? null,
    csv: values.csv ?? null,
    notes: unreached === null ? [] : [unreached],
  }
}
