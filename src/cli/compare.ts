import type { PiecePlan } from '../experiment/pieces'
import type { MethodOutcome } from '../experiment/result'
import { resultsText } from '../experiment/results/results-file'
import { type AnyEvent, compareAny } from '../experiment/run-pieces'
import { mebibytes } from '../gpu/buffer-pool'
import { type Command, EXIT, type Terminal } from './command'
import { compareHelp, parseCompare } from './compare-arguments'
import { compareConditions, compareCsv, compareReport, compareTable, scaleTable } from './compare-report'
import { adapterReport } from './node-gpu'
import { noteProgress, withComparison } from './open-layer'
import { decimals, writeJson, writeWhole } from './output'
import { resultsOf } from './results-report'

/** How a layer is cut, and what the run takes. */
function planText({ weightPieces, weightRows, tokenPieces, tokenRows, ...bytes }: PiecePlan): string {
  return (
    `In pieces: ${weightPieces} of at most ${weightRows} rows of the weight, ${tokenPieces} of at most ${tokenRows} tokens. ` +
    `Largest buffer ${mebibytes(bytes.largestBytes)} of ${mebibytes(bytes.limitBytes)} allowed, at most about ` +
    `${mebibytes(bytes.peakBytes)} at once.`
  )
}

function noteEvent(event: AnyEvent, terminal: Terminal): void {
  if (event.kind === 'plan') terminal.note(planText(event.plan))
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
    if (parsed.jsonl !== null) {
      const { compareMany } = await import('./compare-many')
      const note = (event: AnyEvent) => noteEvent(event, terminal)
      return (await compareMany(parsed, parsed.jsonl, { terminal, note })) ? EXIT.done : EXIT.input
    }
    const outcomes: MethodOutcome[] = []
    const { layer, adapter } = await withComparison(parsed, terminal, async ({ open, weight, gpu, signal }) => {
      await compareAny(open, parsed.request, { gpu, signal, now: () => performance.now() }, (event) => {
        noteEvent(event, terminal)
        if (event.kind === 'outcome') outcomes.push(event.outcome)
      })
      const facts = { layer: open.layer.facts, adapter: adapterReport(gpu) }
      if (parsed.results !== null) {
        await writeWhole(parsed.results, resultsText(await resultsOf(parsed, weight, { ...facts, outcomes })))
      }
      return facts
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
