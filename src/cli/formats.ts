import { bitsPerElement } from '../formats/bits-per-element'
import { chooseFormat } from '../formats/format-text'
import {
  BLOCK_SIZES,
  type NumberFormat,
  PRE_SCALE_MAX,
  PRE_SCALE_MIN,
  PRE_SCALE_VARIANTS,
  ROUNDINGS,
  SCALE_RULES,
} from '../formats/number-format'
import { makeQuantizer, STANDARD_MX, takesPreScale } from '../formats/quantizer'
import { FORMATS } from '../formats/registry'
import { type Command, EXIT, parse } from './command'
import { describeOption } from './describe-option'
import { ABSENT, alignTable, writeJson } from './output'

const help = `Usage: mxscope formats [--json FILE]

Lists the number formats, their options, and the scale rules, roundings and block sizes that complete MX formats. A
format with options is written int4(group=128,scheme=asym).

  --json FILE   write the list as JSON; - is standard output
`

/** Rows are as long as the layer is wide; without one, the scale of a row counts as nothing. */
function standardBits(format: NumberFormat): number {
  return bitsPerElement(makeQuantizer(chooseFormat(format), STANDARD_MX))
}

/** The largest magnitude of an element before its scale; of the symmetric schemes where the element is an integer. */
function largestOf({ element }: NumberFormat): number {
  return element.kind === 'integer' ? 2 ** (element.bits - 1) - 1 : element.maxFinite
}

/** What may be chosen for `format` beside its options; empty where there is no choice. */
function choicesOf(format: NumberFormat) {
  const isMx = format.family === 'mx'
  return {
    scaleRules: isMx ? SCALE_RULES : [],
    roundings: isMx ? ROUNDINGS : [],
    blockSizes: isMx ? BLOCK_SIZES : [],
    preScale: takesPreScale(format, STANDARD_MX.scaleRule),
  }
}

function blockText(format: NumberFormat): string {
  switch (format.family) {
    case 'mx':
    case 'nvfp':
      return String(format.blockSize)
    case 'integer':
      return 'row'
    case 'sixteen-bit':
      return ABSENT
    default:
      return format satisfies never
  }
}

export const command: Command = {
  help,
  async run(args, terminal) {
    const { values } = parse({ args: [...args], options: { json: { type: 'string' } } })
    const preScale = { min: PRE_SCALE_MIN, max: PRE_SCALE_MAX, variants: PRE_SCALE_VARIANTS }
    if (values.json !== undefined) {
      const formats = FORMATS.map((format) => ({
        ...format,
        bitsPerElement: standardBits(format),
        ...choicesOf(format),
      }))
      const all = { scaleRules: SCALE_RULES, roundings: ROUNDINGS, blockSizes: BLOCK_SIZES, preScale }
      await writeJson(values.json, { schema: 'mxscope.formats/1', formats, ...all }, terminal)
    }
    if (values.json === '-') return EXIT.done
    const heading = ['id', 'label', 'largest', 'block', 'scale', 'bits/element', 'source']
    const rows = FORMATS.map((format) => {
      const { id, label, scale, source } = format
      const largest = String(Number(largestOf(format).toPrecision(7)))
      return [id, label, largest, blockText(format), scale, String(standardBits(format)), source]
    })
    terminal.out(alignTable([heading, ...rows], [2, 3, 5]))
    for (const { id, options } of FORMATS) {
      if (options.length > 0) terminal.out(`\n${id} options:\n${options.map(describeOption).join('')}`)
    }
    const list = (values: readonly (string | number)[]) => values.join(', ')
    terminal.out(
      `\nof MX formats:\n  scale rules: ${list(SCALE_RULES)}\n  roundings: ${list(ROUNDINGS)}\n` +
        `  block sizes: ${list(BLOCK_SIZES)} (32 is the standard)\n` +
        `  pre-scale of 4-bit elements: ${preScale.min} … ${preScale.max}, ${preScale.variants.join(' or ')}\n` +
        'int4 and int8 add 16 bits per row or group, and a zero point when asymmetric.\n',
    )
    return EXIT.done
  },
}
