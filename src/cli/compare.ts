import type { MemoryPlan } from '../experiment/memory-plan'
import type { MethodOutcome } from '../experiment/result'
import { resultsText } from '../experiment/results/results-file'
import type { ComparisonEvent } from '../experiment/run-comparison'
import { compareAny } from '../experiment/run-pieces'
import { bytesApart, mebibytes } from '../gpu/buffer-pool'
import { type Command, EXIT, type Terminal } from './command'
import { compareHelp, parseCompare } from './compare-arguments'
import { compareConditions, compareCsv, compareReport, compareTable, scaleTable } from './compare-report'
import { adapterReport } from './node-gpu'
import { noteProgress, withComparison } from './open-layer'
import { checkOutputs, decimals, writeJson, writeWhole } from './output'
import { resultsOf } from './results-report'

/** What the run takes, of what most, and how a layer is cut that no buffer holds. */
function planText({ pieces, ...bytes }: MemoryPlan): string {
  const most = bytes.methods.reduce((a, b) => (b.bytes > a.bytes ? b : a))
  const parts =
    `weight ${mebibytes(bytes.weightBytes)}, activations ${mebibytes(bytes.activationBytes)}, reference outputs ` +
    `${mebibytes(bytes.referenceBytes)}, ${most.method} ${mebibytes(most.bytes)}`
  const [largest, allowed] = bytesApart(pieces?.largestBytes ?? 0, bytes.limitBytes)
  const cut = pieces
    ? `In pieces: ${pieces.weightPieces} of at most ${pieces.weightRows} rows of the weight, ${pieces.tokenPieces} of at most ` +
      `${pieces.tokenRows} tokens. Largest buffer ${largest} of ${allowed} allowed. `
    : ''
  return `${cut}GPU memory: at most about ${mebibytes(bytes.peakBytes)} at once (${parts}).`
}

/** What of the plan will fail, each reason once. */
const refusalsOf = ({ methods }: MemoryPlan) => new Set(methods.flatMap(({ refusal }) => refusal ?? []))

function noteEvent(event: ComparisonEvent, terminal: Terminal): void {
  if (event.kind === 'plan') {
    terminal.note(planText(event.plan))
    for (const refusal of refusalsOf(event.plan)) terminal.note(`will fail: ${refusal}`)
  }
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
    await checkOutputs(parsed.json, parsed.csv, parsed.results, parsed.jsonl)
    if (parsed.jsonl !== null) {
      const { compareMany } = await import('./compare-many')
      const note = (event: ComparisonEvent) => noteEvent(event, terminal)
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
