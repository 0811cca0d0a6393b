import { type LayerSources, loadLayer } from '../experiment/load-layer'
import type { TensorSource } from '../experiment/load-tensor'
import type { MethodOutcome } from '../experiment/result'
import { type ComparisonEvent, runComparison } from '../experiment/run-comparison'
import { Arena } from '../gpu/arena'
import { type Command, EXIT, type Terminal } from './command'
import { type CompareArguments, compareHelp, parseCompare } from './compare-arguments'
import { compareConditions, compareCsv, compareReport, compareTable, scaleTable } from './compare-report'
import { adapterReport, openNodeGpu } from './node-gpu'
import { type OpenFile, tensorByName, withFile } from './open-file'
import { writeJson, writeWhole } from './output'

/** A tensor by name, from the first of `files` that has it. Throws InputError TS-06 when none does. */
function findTensor(files: readonly OpenFile[], name: string): TensorSource {
  const holder = files.find((file) => file.tensors.some((tensor) => tensor.name === name)) ?? files[0]
  return { source: holder.source, tensor: tensorByName(holder, name) }
}

function sourcesOf(file: OpenFile, activationsFile: OpenFile, parsed: CompareArguments): LayerSources {
  const { activations, evaluation } = parsed
  return {
    weight: { source: file.source, tensor: tensorByName(file, parsed.weight) },
    activations:
      activations.kind === 'synthetic'
        ? activations
        : {
            kind: 'captured',
            calibration: { source: activationsFile.source, tensor: tensorByName(activationsFile, activations.tensor) },
            evaluation: evaluation === null ? null : findTensor([activationsFile, file], evaluation),
          },
    heldOutShare: parsed.heldOutShare,
    tokens: parsed.tokens,
    tensors: file.tensors,
  }
}

/** At most about this many lines of progress per method. */
const PROGRESS_LINES = 10

function noteEvent(event: ComparisonEvent, terminal: Terminal): void {
  if (event.kind === 'started') terminal.note(`${event.setting} ${event.method} …`)
  if (event.kind === 'progress') {
    const { stage, done, total, loss } = event.progress
    const error = loss === undefined ? '' : `, relative error ${loss.toFixed(5)}`
    const stride = Math.ceil(total / PROGRESS_LINES)
    if (done % stride === 0 || done === total) {
      terminal.note(`${event.setting} ${event.method}: ${stage}, step ${done} of ${total}${error}`)
    }
  }
  if (event.kind !== 'outcome') return
  const { outcome } = event
  const told =
    outcome.kind === 'result'
      ? `${outcome.evaluation.outputSqnrDb.toFixed(2)} dB in ${(outcome.elapsedMs / 1000).toFixed(2)} s`
      : `failed: ${outcome.error.code}: ${outcome.error.message}`
  terminal.note(`${outcome.setting} ${outcome.method}: ${told}`)
}

async function compare(file: OpenFile, activationsFile: OpenFile, parsed: CompareArguments, terminal: Terminal) {
  const sources = sourcesOf(file, activationsFile, parsed)
  const gpu = await openNodeGpu()
  const arena = new Arena(gpu)
  const { signal } = new AbortController()
  const outcomes: MethodOutcome[] = []
  try {
    const layer = await loadLayer(sources, { gpu, arena, signal })
    for (const note of layer.facts.notes ?? []) terminal.note(note)
    await runComparison(layer, parsed.request, { gpu, signal, now: () => performance.now() }, (event) => {
      noteEvent(event, terminal)
      if (event.kind === 'outcome') outcomes.push(event.outcome)
    })
    return { layer: layer.facts, adapter: adapterReport(gpu), outcomes }
  } finally {
    arena.release()
  }
}

export const command: Command = {
  help: compareHelp,
  async run(args, terminal) {
    const parsed = parseCompare(args)
    const { layer, adapter, outcomes } = await withFile(parsed.file, (file) =>
      parsed.activationsFile === null
        ? compare(file, file, parsed, terminal)
        : withFile(parsed.activationsFile, (activationsFile) => compare(file, activationsFile, parsed, terminal)),
    )
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
