import { explainRotation } from '../experiment/rotation-causes'
import { type Command, EXIT } from './command'
import { explainHelp, parseExplain } from './explain-arguments'
import { explainCsv, explainReport, explainText } from './explain-report'
import { adapterReport } from './node-gpu'
import { withLayer } from './open-layer'
import { checkOutputs, writeJson, writeWhole } from './output'

export const command: Command = {
  help: explainHelp,
  async run(args, terminal) {
    const parsed = parseExplain(args)
    for (const note of parsed.notes) terminal.note(`note: ${note}.`)
    await checkOutputs(parsed.json, parsed.csv)
    const done = await withLayer(parsed, terminal, async ({ layer, gpu, signal }) => {
      const causes = await explainRotation(layer, parsed.query, { gpu, signal })
      for (const note of causes.notes) terminal.note(`  ${note}`)
      return { layer: layer.facts, adapter: adapterReport(gpu), causes }
    })
    const { json, csv } = parsed
    if (csv === '-') terminal.out(explainCsv(done))
    else if (csv !== null) await writeWhole(csv, explainCsv(done))
    if (json !== null) await writeJson(json, explainReport(done), terminal)
    if (json !== '-' && csv !== '-') terminal.out(explainText(done))
    return EXIT.done
  },
}
