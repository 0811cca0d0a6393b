import { METHOD_CATALOG } from '../experiment/catalog'
import { KV_SETTINGS, SETTINGS } from '../experiment/settings'
import { type Command, EXIT, parse } from './command'
import { describeOption } from './describe-option'
import { writeJson } from './output'

const help = `Usage: mxscope methods [--json FILE]

Lists the methods: ids, labels, options with defaults and ranges, sources.

  --json FILE   write the list as JSON; - is standard output
`

export const command: Command = {
  help,
  async run(args, terminal) {
    const { values } = parse({ args: [...args], options: { json: { type: 'string' } } })
    if (values.json !== undefined) {
      await writeJson(
        values.json,
        { schema: 'mxscope.methods/1', methods: METHOD_CATALOG, settings: [...SETTINGS, ...KV_SETTINGS] },
        terminal,
      )
    }
    if (values.json === '-') return EXIT.done
    for (const { id, label, kind, summary, source, options } of METHOD_CATALOG) {
      terminal.out(`${id}  ${label} (${kind})\n  ${summary}\n  source: ${source}\n`)
      if (options.length > 0) terminal.out(`  options:\n${options.map(describeOption).join('')}`)
    }
    return EXIT.done
  },
}
