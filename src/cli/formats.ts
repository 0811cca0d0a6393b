import { bitsPerElement, ROUNDINGS, SCALE_RULES } from '../formats/number-format'
import { FORMATS } from '../formats/registry'
import { type Command, EXIT, parse } from './command'
import { alignTable, writeJson } from './output'

const help = `Usage: mxscope formats [--json FILE]

Lists the number formats, with the scale rules and roundings that complete them.

  --json FILE   write the list as JSON; - is standard output
`

export const command: Command = {
  help,
  async run(args, terminal) {
    const { values } = parse({ args: [...args], options: { json: { type: 'string' } } })
    const formats = FORMATS.map((format) => ({ ...format, bitsPerElement: bitsPerElement(format) }))
    if (values.json !== undefined) {
      const report = { schema: 'mxscope.formats/1', formats, scaleRules: SCALE_RULES, roundings: ROUNDINGS }
      await writeJson(values.json, report, terminal)
    }
    if (values.json === '-') return EXIT.done
    const rows = formats.map(({ id, label, element, blockSize, scale, bitsPerElement: bits, source }) => [
      id,
      label,
      String(element.maxFinite),
      String(blockSize),
      scale,
      String(bits),
      source,
    ])
    terminal.out(
      alignTable([['id', 'label', 'largest', 'block', 'scale', 'bits/element', 'source'], ...rows], [2, 3, 5]),
    )
    terminal.out(`\nscale rules: ${SCALE_RULES.join(', ')}\nroundings: ${ROUNDINGS.join(', ')}\n`)
    return EXIT.done
  },
}
