import type { MethodOutcome } from '../experiment/result'
import { type ComparisonEvent, runComparison } from '../experiment/run-comparison'
import { type Command, EXIT, type Terminal } from './command'
import { compareHelp, parseCompare } from './compare-arguments'
import { compareConditions, compareCsv, compareReport, compareTable, scaleTable } from './compare-report'
import { adapterReport } from './node-gpu'
import { noteProgress, withLayer } from './open-layer'
import { decimals, writeJson, writeWhole } from './output'

function noteEvent(event: ComparisonEvent, terminal: Terminal): void {
  if (event.kind === 'started') terminal.note(`${event.setting} ${event.method} …`)
  if (event.kind === 'progress') noteProgress(`${event.setting} ${event.method}`, event.progress, terminal)
  if (event.kind !== 'outcome') return
  const { outcome } = event
  const told =
    outcome.kind === 'result'
      ? `${decimals(outcome.evaluation.outputSqnrDb, 2)} dB in ${(outcome.elapsedMs / 1000).toFixed(2)} s`
      : `failed: ${outcome.error.code}: ${outcome.error.message}`
  terminal.note(`${outcome.setting} ${outcome.method}: ${told}`)
  if (outcome.kind === 'result') for (const note of outcome.notes) terminal.note(`  ${note}`)
}

export const command: Command = {
  help: compareHelp,
  async run(args, terminal) {
    const parsed = parseCompare(args)
    for (const note of parsed.notes) terminal.note(`note: ${note}.`)
    const outcomes: MethodOutcome[] = []
    const { layer, adapter } = await withLayer(parsed, terminal, async ({ layer, gpu, signal }) => {
      await runComparison(layer, parsed.request, { gpu, signal, now: () => performance.now() }, (event) => {
        noteEvent(event, terminal)
        if (event.kind === 'outcome') outcomes.push(event.outcome)
      })
      return { layer: layer.facts, adapter: adapterReport(gpu) }
    })
    if (parsed.csv !== null) {
      if (parsed.csv === '-') terminal.out(compareCsv(outcomes))
      else await writeWhole(parsed.csv, compareCsv(outcomes))
    }
    if (parsed.json !== null) await writeJson(parsed.json, compareReport(layer, adapter, outcomes), terminal)
    if (parsed.json !== '-' && parsed.csv !== '-') {
      terminal.out(`${compareConditions(layer, parsed.request, outcomes)}\n${compareTable(outcomes)}`)
      if (parsed.request.scaleAnalysis) terminal.out(`\n${scaleTable(outcomes)}`)
    }
    return outcomes.some((outcome) => outcome.kind === 'result') ? EXIT.done : EXIT.input
  },
}
