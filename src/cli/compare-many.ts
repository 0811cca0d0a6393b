/** `mxscope compare` over several weights: a line of JSON for each, written when it is done. */
import { appendFile, readFile } from 'node:fs/promises'
import { FileError } from '../core/errors'
import { VERSION } from '../core/version'
import type { MethodOutcome } from '../experiment/result'
import type { ComparisonEvent } from '../experiment/run-comparison'
import { compareAny, loadAny } from '../experiment/run-pieces'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import { matrixShape } from '../io/tensor-bytes'
import type { TensorView } from '../io/tensor-view'
import type { Terminal } from './command'
import type { CompareArguments } from './compare-arguments'
import { compareReport, compareTable } from './compare-report'
import type { LayerArguments } from './layer-arguments'
import { activationsFor, matchingTensors, type OpenFiles } from './module-activations'
import { adapterReport, openNodeGpu } from './node-gpu'
import { type OpenFile, withFile } from './open-file'
import { rowNotes, sourcesOf } from './open-layer'
import { writeWhole } from './output'
import { fingerprintOf } from './quantize-files'

/** The layer of one of the weights. */
function layerOf(files: OpenFiles, weight: TensorView, parsed: CompareArguments): LayerArguments {
  const { activations } = parsed
  if (activations.kind === 'synthetic') return { ...parsed, weight: weight.name }
  const tensor = activationsFor(files, weight, activations.tensor).name
  return { ...parsed, weight: weight.name, activations: { kind: 'captured', tensor } }
}

/** Stands for everything a line depends on. */
function lineFingerprint(files: OpenFiles, layer: LayerArguments, { request }: CompareArguments): string {
  const { weight, activations, evaluation, heldOutShare, firstToken, tokens } = layer
  const identity = ({ source }: OpenFile) => [source.name, source.byteLength]
  const rows = { activations, evaluation, heldOutShare, firstToken, tokens }
  const inputs = [identity(files.file), identity(files.activations)]
  return fingerprintOf({ version: VERSION, request, weight, rows, inputs })
}

/** The whole lines of the file and their fingerprints, none when it is not there; a line that was cut off is left out. */
async function readLines(path: string): Promise<readonly { readonly text: string; readonly fingerprint: string }[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw new FileError('FS-01', `${path}: cannot be opened (${error.message}).`, { cause: error })
  })
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const fingerprint = /^\{"fingerprint":"([0-9a-f]{64})",/.exec(line)?.[1]
      return fingerprint === undefined ? [] : [{ text: line, fingerprint }]
    })
}

/** Compares on one weight. */
async function compareOne(
  files: OpenFiles,
  layerArguments: LayerArguments,
  {
    parsed,
    gpu,
    terminal,
    note,
  }: {
    readonly parsed: CompareArguments
    readonly gpu: Gpu
    readonly terminal: Terminal
    readonly note: (event: ComparisonEvent) => void
  },
) {
  const arena = new Arena(gpu)
  const { signal } = new AbortController()
  const outcomes: MethodOutcome[] = []
  try {
    const sources = sourcesOf(files.file, files.activations, layerArguments)
    for (const line of rowNotes(sources)) terminal.note(line)
    const open = await loadAny(sources, parsed.request, { gpu, arena, signal })
    for (const line of open.layer.facts.notes ?? []) terminal.note(line)
    await compareAny(open, parsed.request, { gpu, signal, now: () => performance.now() }, (event) => {
      note(event)
      if (event.kind === 'outcome') outcomes.push(event.outcome)
    })
    return { report: compareReport(open.layer.facts, adapterReport(gpu), outcomes), outcomes }
  } finally {
    arena.release()
  }
}

/**
 * Compares on every weight that matches --weight and appends a line to --jsonl after each. With --resume weights whose line
 * is there, made with the same settings, are left out. Returns whether a method gave a result on any of them.
 */
export function compareMany(
  parsed: CompareArguments,
  output: string,
  { terminal, note }: { readonly terminal: Terminal; readonly note: (event: ComparisonEvent) => void },
): Promise<boolean> {
  const work = async (files: OpenFiles) => {
    const weights = matchingTensors(files.file, parsed.weight)
    for (const weight of weights) matrixShape(weight, 'weight')
    const layers = weights.map((weight) => layerOf(files, weight, parsed))
    const kept = parsed.resume ? await readLines(output) : []
    const done = new Set(kept.map(({ fingerprint }) => fingerprint))
    await writeWhole(output, kept.map(({ text }) => `${text}\n`).join(''))
    const left = layers.map((layer) => ({ layer, fingerprint: lineFingerprint(files, layer, parsed) }))
    const gpu = left.every(({ fingerprint }) => done.has(fingerprint)) ? null : await openNodeGpu(parsed.bufferLimit)
    let hasResult = done.size > 0
    for (const [index, { layer, fingerprint }] of left.entries()) {
      const place = `${layer.weight} (${index + 1} of ${left.length})`
      if (!gpu || done.has(fingerprint)) {
        terminal.note(`${place}: done before`)
        continue
      }
      terminal.note(`${place} …`)
      const { report, outcomes } = await compareOne(files, layer, { parsed, gpu, terminal, note })
      await appendLine(output, JSON.stringify({ fingerprint, ...report }))
      hasResult ||= outcomes.some(({ kind }) => kind === 'result')
      terminal.out(`${layer.weight}\n${compareTable(outcomes)}\n`)
    }
    return hasResult
  }
  const { activationsFile } = parsed
  const open = (file: OpenFile) =>
    activationsFile === null
      ? work({ file, activations: file })
      : withFile(activationsFile, (activations) => work({ file, activations }), terminal)
  return withFile(parsed.file, open, terminal)
}

async function appendLine(path: string, line: string): Promise<void> {
  await appendFile(path, `${line}\n`).catch((cause: Error) => {
    throw new FileError('FS-02', `${path}: cannot be written (${cause.message}).`, { cause })
  })
}
