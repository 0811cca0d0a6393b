/** The command line of `mxscope quantize`: which choices a format has, and what is said about those it has not. */

import { EXPORT_LAYOUTS, type ExportLayout } from '../experiment/export-request'
import { chooseFormat, formatText, parseFormat } from '../formats/format-text'
import {
  BLOCK_SIZES,
  type FormatChoice,
  type NumberFormat,
  PRE_SCALE_MAX,
  PRE_SCALE_MIN,
  type Quantizer,
  ROUNDINGS,
  SCALE_RULES,
} from '../formats/number-format'
import { makeQuantizer, takesPreScale } from '../formats/quantizer'
import { asUsage, oneOf, parse, UsageError } from './command'
import { globMatcher } from './glob'
import { idsOf, MX_OPTIONS, type MxValues, mxChoicesOf, mxChoicesText } from './mx-arguments'
import { PLACES_HELP } from './open-file'
import { METHOD_OPTIONS, type WeightMethod, weightMethodOf } from './quantize-method-arguments'
import { SYNTHETIC_HELP } from './synthetic-arguments'

const REST = ['copy', 'drop'] as const

export const quantizeHelp = `Usage: mxscope quantize FILE --format ID [options] -o OUT

Quantizes weights and writes them as safetensors. Without --method tensors are rounded to nearest along their last axis.
What a method needs at inference is written beside the weight, as <module>.mxscope.* (docs/export.md).

${PLACES_HELP}  --format ID              a number format, with its options in parentheses: "int4(group=128,scheme=asym)"
                           (mxscope formats lists both)
  --tensor PATTERN         only tensors of this name; * stands for any characters, ? for one, {a,b} for either; may be
                           repeated (default: every floating-point tensor with an axis)
  --layout L               ${EXPORT_LAYOUTS.join(' | ')}
                           (default dequantized-f32: what a decoder reads back)
  --method ID              weights [out, in] as this method quantizes them (mxscope methods lists them); with --tensor and
                           --activations or --synthetic
  --activations NAME       activation tensor [..., in] of --method, all its rows calibrate; {module} stands for the name of
                           the weight without ".weight"; auto: its <module>.input, or that of a projection that shares it
  --activations-file F     file that holds it, when it is not FILE
${SYNTHETIC_HELP}  --activation-format ID   format activations will have at inference: methods are fitted with it (default: as loaded)
  --option ID.KEY=VALUE    an option of --method; may be repeated
  --seed N                 of random choices of --method, 0 … 4294967295 (default 0)
  --scale-rule RULE        MX formats: ${SCALE_RULES.join(' | ')} (default floor)
  --rounding MODE          MX formats: ${ROUNDINGS.join(' | ')} (default half-even; the others
                           always round so)
  --pre-scale F|off        MX formats of 4 bits: ${PRE_SCALE_MIN} … ${PRE_SCALE_MAX} (default off)
  --pre-scale-variant V    exact: after the exponent is chosen; literal: before it (default exact)
  --block N                elements per scale. MX formats: ${BLOCK_SIZES.join(' | ')} (default 32, the standard);
                           int4, int8: groups of 32 | 64 | 128 (default: the row); nvfp4: 16
  --flush-subnormal-blocks MX formats: blocks of f32 subnormals become zero
  --rest copy|drop         the other tensors of FILE (default: drop for a file, copy for a folder, index or repository)
  -o, --output OUT         the safetensors file to write; for shards a folder: a file for each of them and a new index.
                           Nothing stands under its final name before it is whole
  --resume                 go on where an interrupted run with the same settings was; done tensors wait in OUT.parts,
                           and a finished file that other settings made is refused
  --partial                go on though shards of the model are missing or damaged; OUT and its index leave them out
  --json OUT               write what rounding did to each tensor as JSON; - is standard output
`

/** The arguments of `mxscope quantize`, checked as far as the command line alone allows. */
export interface QuantizeArguments {
  readonly file: string
  readonly patterns: readonly string[]
  readonly choice: FormatChoice
  readonly quantizer: Quantizer
  /** Of the activations at inference; null: as loaded. */
  readonly activation: { readonly choice: FormatChoice; readonly quantizer: Quantizer } | null
  readonly layout: ExportLayout
  /** null: rounded to nearest. */
  readonly method: WeightMethod | null
  /** null: as the kind of FILE has it. */
  readonly rest: (typeof REST)[number] | null
  readonly resume: boolean
  /** Shards that are missing or damaged are left out of OUT. */
  readonly partial: boolean
  readonly output: string
  readonly json: string | null
}

const OPTIONS = {
  format: { type: 'string' },
  tensor: { type: 'string', multiple: true },
  ...METHOD_OPTIONS,
  ...MX_OPTIONS,
  'flush-subnormal-blocks': { type: 'boolean', default: false },
  layout: { type: 'string' },
  'activation-format': { type: 'string' },
  rest: { type: 'string' },
  resume: { type: 'boolean', default: false },
  partial: { type: 'boolean', default: false },
  output: { type: 'string', short: 'o' },
  json: { type: 'string' },
} as const

/** Throws UsageError for a choice that `format` does not have, naming the formats that have it. */
function refuseForeign(format: NumberFormat, values: MxValues & { 'flush-subnormal-blocks': boolean }): void {
  const isMx = format.family === 'mx'
  const takesFactor = takesPreScale(format, 'floor')
  const factor = values['pre-scale'] === 'off' ? undefined : values['pre-scale']
  // All other formats round half to even; saying so is no contradiction.
  const rounding = values.rounding === 'half-even' ? undefined : values.rounding
  const foreign: readonly [string, boolean, boolean][] = [
    ['scale-rule', values['scale-rule'] !== undefined, isMx],
    ['rounding', rounding !== undefined, isMx],
    ['flush-subnormal-blocks', values['flush-subnormal-blocks'], isMx],
    ['pre-scale', factor !== undefined, takesFactor],
    ['pre-scale-variant', values['pre-scale-variant'] !== undefined, takesFactor],
  ]
  for (const [name, given, has] of foreign) {
    if (!given || has) continue
    const known = name.startsWith('pre-scale')
      ? idsOf((each) => takesPreScale(each, 'floor'))
      : idsOf(({ family }) => family === 'mx')
    throw new UsageError(`--${name}: ${format.id} has none; only for ${known}`)
  }
  if (factor !== undefined && values['scale-rule'] === 'fp32') {
    const rules = SCALE_RULES.filter((rule) => takesPreScale(format, rule)).join(', ')
    throw new UsageError(`--pre-scale: not with --scale-rule fp32, which leaves nothing to clip; only with ${rules}`)
  }
}

/** `choice` with what `--block` says to formats other than MX, whose block size is a choice of the run. */
function withBlock(choice: FormatChoice, text: string | undefined): FormatChoice {
  const { format, options } = choice
  if (text === undefined) return choice
  switch (format.family) {
    case 'mx':
      return choice
    case 'nvfp':
      oneOf('block', text, { choices: [String(format.blockSize)], fallback: '' })
      return choice
    case 'integer': {
      const group = format.options.find(({ key }) => key === 'group')
      const choices = group?.kind === 'choice' ? group.choices.filter((each) => each !== group.default) : []
      oneOf('block', text, { choices, fallback: '' })
      if (options.group !== group?.default && options.group !== text) {
        throw new UsageError(`--block ${text}: ${formatText(choice)} names another group`)
      }
      return chooseFormat(format, { ...options, group: text })
    }
    case 'sixteen-bit':
      throw new UsageError(`--block: ${format.id} has none; only for ${idsOf(({ scale }) => scale !== 'none')}`)
    default:
      return format satisfies never
  }
}

function quantizerOf(choice: FormatChoice, values: MxValues & { 'flush-subnormal-blocks': boolean }): Quantizer {
  if (choice.format.family !== 'mx') return makeQuantizer(choice, mxChoicesOf({}, { preScale: null }))
  const quantizer = makeQuantizer(choice, mxChoicesOf(values, { preScale: null }))
  if (quantizer.family !== 'mx') return quantizer
  return { ...quantizer, flushSubnormalBlocks: values['flush-subnormal-blocks'] }
}

/** The format of --activation-format, under the same MX choices. */
function activationOf(
  values: MxValues & { 'activation-format'?: string | undefined },
): QuantizeArguments['activation'] {
  const text = values['activation-format']
  if (text === undefined) return null
  const choice = asUsage(() => parseFormat(text))
  return { choice, quantizer: makeQuantizer(choice, mxChoicesOf(values, { preScale: null })) }
}

/** Parses and checks the command line. Throws UsageError. */
export function parseQuantize(args: readonly string[]): QuantizeArguments {
  const { values, positionals } = parse({ args: [...args], allowPositionals: true, options: OPTIONS })
  if (positionals.length !== 1) throw new UsageError(`expected one FILE, found ${positionals.length}`)
  const { format: text, output, tensor: patterns = [], rest } = values
  if (text === undefined) throw new UsageError('expected --format ID')
  if (output === undefined) throw new UsageError('expected -o OUT')
  const named = asUsage(() => parseFormat(text))
  const layout = oneOf('layout', values.layout, { choices: EXPORT_LAYOUTS, fallback: 'dequantized-f32' })
  refuseForeign(named.format, values)
  const choice = withBlock(named, values.block)
  const quantizer = quantizerOf(choice, values)
  const method = weightMethodOf(patterns, values)
  const activation = activationOf(values)
  if (activation && !method) throw new UsageError('--activation-format: only with --method')
  if (patterns.length === 0 && !layout.startsWith('dequantized')) {
    throw new UsageError(`--layout ${layout}: expected --tensor PATTERN; it is for weights only`)
  }
  for (const pattern of patterns) globMatcher(pattern)
  return {
    ...{ file: positionals[0], patterns, choice, quantizer, activation, layout, method, output },
    rest: rest === undefined ? null : oneOf<(typeof REST)[number]>('rest', rest, { choices: REST, fallback: 'drop' }),
    resume: values.resume,
    partial: values.partial,
    json: values.json ?? null,
  }
}

/**
 * Everything that reproduces what `quantizer` did, by name: format and options as text, then what the family adds.
 * null stands for off.
 */
export function describeQuantizer(choice: FormatChoice, quantizer: Quantizer) {
  const format = formatText(choice)
  switch (quantizer.family) {
    case 'mx': {
      const { scaleRule, rounding, blockSize, preScale, flushSubnormalBlocks } = quantizer
      const preScaled = { preScale: preScale?.factor ?? null, preScaleVariant: preScale?.variant ?? null }
      return { format, scaleRule, rounding, blockSize, ...preScaled, flushSubnormalBlocks }
    }
    case 'nvfp': {
      const { fourOverSix, tensorScale } = quantizer
      return { format, blockSize: quantizer.format.blockSize, fourOverSix, tensorScale }
    }
    case 'integer':
      return { format, group: quantizer.group, scheme: quantizer.scheme }
    case 'sixteen-bit':
      return { format }
    default:
      return quantizer satisfies never
  }
}

/** What `quantizer` does, in the words of compare: "mxfp4, scale rule floor, rounding half-even, pre-scale off". */
export function quantizerText(choice: FormatChoice, quantizer: Quantizer): string {
  const format = formatText(choice)
  switch (quantizer.family) {
    case 'mx': {
      const setting = { weightFormat: format, activationFormat: null, outputFormat: null }
      const flushed = quantizer.flushSubnormalBlocks ? ', subnormal blocks become zero' : ''
      return `${format}, ${mxChoicesText(quantizer, [setting])}${flushed}`
    }
    case 'nvfp':
      return `${format}, rounding half-even, block ${quantizer.format.blockSize}`
    case 'integer': {
      const shared = quantizer.group === 'row' ? 'row' : `group of ${quantizer.group}`
      return `${format}, rounding half-even, a scale per ${shared}`
    }
    case 'sixteen-bit':
      return `${format}, rounding half-even`
    default:
      return quantizer satisfies never
  }
}
