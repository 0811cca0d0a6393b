import { METHOD_CATALOG, type MethodEntry } from '../experiment/catalog'
import { KV_SETTINGS, SETTINGS } from '../experiment/settings'
import { methodById } from '../methods/registry'
import { asUsage, type Command, EXIT, parse } from './command'
import { describeOption } from './describe-option'
import { alignTable, writeJson } from './output'

const help = `Usage: mxscope methods [ID...] [--json FILE]

Lists the methods: ids, labels, summaries. With IDs, these methods in full: sources, options with defaults and ranges.

  --json FILE   write everything about the methods listed as JSON; - is standard output
`

/** The methods named, in that order; all of them where none is. Throws UsageError. */
function chosen(ids: readonly string[]): readonly MethodEntry[] {
  if (ids.length === 0) return METHOD_CATALOG
  const wanted = ids.map((id) => asUsage(() => methodById(id)).id)
  return wanted.flatMap((id) => METHOD_CATALOG.find((entry) => entry.id === id) ?? [])
}

function inFull({ id, label, kind, summary, source, options }: MethodEntry): string {
  const described = options.length > 0 ? `  options:\n${options.map(describeOption).join('')}` : ''
  return `${id}  ${label} (${kind})\n  ${summary}\n  source: ${source}\n${described}`
}

export const command: Command = {
  help,
  async run(args, terminal) {
    const { values, positionals } = parse({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'string' } },
    })
    const methods = chosen(positionals)
    if (values.json !== undefined) {
      await writeJson(
        values.json,
        { schema: 'mxscope.methods/1', methods, settings: [...SETTINGS, ...KV_SETTINGS] },
        terminal,
      )
    }
    if (values.json === '-') return EXIT.done
    if (positionals.length > 0) terminal.out(methods.map(inFull).join(''))
    else {
      terminal.out(
        alignTable([['id', 'label', 'summary'], ...methods.map(({ id, label, summary }) => [id, label, summary])]),
      )
      terminal.out('\nmxscope methods ID... describes methods and their options.\n')
    }
    return EXIT.done
  },
}
