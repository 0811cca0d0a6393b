import { InputError } from '../core/errors'
import type { Progress } from '../core/progress'
import { type GainSource, type LayerSources, type LoadedLayer, loadLayer } from '../experiment/load-layer'
import type { LoadContext, TensorSource } from '../experiment/load-tensor'
import { type AnyLayer, loadAny } from '../experiment/run-pieces'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import { normGainOf, storesGainMinusOne } from '../io/norm-gain'
import type { Terminal } from './command'
import type { CompareArguments } from './compare-arguments'
import type { LayerArguments } from './layer-arguments'
import { activationsFor } from './module-activations'
import { openNodeGpu } from './node-gpu'
import { type OpenFile, tensorByName, withFile } from './open-file'

/** A tensor by name, from the first of `files` that has it. Throws InputError TS-06 when none does. */
function findTensor(files: readonly OpenFile[], name: string): TensorSource {
  const holder = files.find((file) => file.tensors.some((tensor) => tensor.name === name)) ?? files[0]
  return { source: holder.source, tensor: tensorByName(holder, name) }
}

/** The gain that --norm-gain names. Throws InputError AC-08 where `auto` finds none, TS-06 for a name that is not there. */
function gainOf(file: OpenFile, weight: string, name: string | null): GainSource | null {
  if (name === null) return null
  if (name !== 'auto') return { from: findTensor([file], name), plusOne: storesGainMinusOne(file.tensors, name) }
  const found = normGainOf(file.tensors, tensorByName(file, weight))
  if (found) return { from: findTensor([file], found.tensor.name), plusOne: found.plusOne }
  throw new InputError(
    'AC-08',
    `--norm-gain auto: expected the gain of a norm that feeds "${weight}", found none by name. Name it.`,
  )
}

/** Where the parts of the layer that `parsed` names are. Throws InputError TS-06, AC-08. */
export function sourcesOf(file: OpenFile, activationsFile: OpenFile, parsed: LayerArguments): LayerSources {
  const { activations, evaluation } = parsed
  const weight = tensorByName(file, parsed.weight)
  return {
    weight: { source: file.source, tensor: weight },
    activations:
      activations.kind === 'synthetic'
        ? { ...activations, gain: gainOf(file, parsed.weight, activations.gain) }
        : {
            kind: 'captured',
            calibration: {
              source: activationsFile.source,
              tensor: activationsFor({ file, activations: activationsFile }, weight, activations.tensor),
            },
            evaluation: evaluation === null ? null : findTensor([activationsFile, file], evaluation),
          },
    heldOutShare: parsed.heldOutShare,
    firstToken: parsed.firstToken,
    tokens: parsed.tokens,
    tensors: file.tensors,
  }
}

/** That an activation tensor ends before the rows that were asked for do. */
export function rowNotes({ activations, firstToken, tokens }: LayerSources): string[] {
  if (activations.kind !== 'captured' || tokens === null) return []
  const { calibration, evaluation } = activations
  return [calibration, ...(evaluation ? [evaluation] : [])].flatMap(({ tensor: { name, shape } }) => {
    const rows = shape.slice(0, -1).reduce((product, axis) => product * axis, 1)
    if (firstToken >= rows || firstToken + tokens <= rows) return []
    const used = firstToken === 0 ? `all ${rows}` : `rows ${firstToken} to ${rows - 1}`
    return [`note: --tokens: "${name}" has ${rows} rows, fewer than asked for; ${used} are used.`]
  })
}

/** An uploaded layer; `arena` owns its matrices and what is added to it. */
export interface OpenLayer {
  readonly layer: LoadedLayer
  /** The weight is stored as [in, out]. */
  readonly turned: boolean
  readonly gpu: Gpu
  readonly arena: Arena
  readonly signal: AbortSignal
}

/** Opens a device, its buffers no larger than `maxBytes`, and hands what `load` brings to `work`. */
async function withDevice<L, T>(
  load: (context: LoadContext) => Promise<L>,
  work: (loaded: L, context: LoadContext) => Promise<T>,
  maxBytes: number | null,
): Promise<T> {
  const gpu = await openNodeGpu(maxBytes)
  const arena = new Arena(gpu)
  const context = { gpu, arena, signal: new AbortController().signal }
  try {
    return await work(await load(context), context)
  } finally {
    arena.release()
  }
}

function uploadLayer<T>(sources: LayerSources, terminal: Terminal, work: (open: OpenLayer) => Promise<T>): Promise<T> {
  const start = (layer: LoadedLayer, context: LoadContext) => {
    for (const note of layer.facts.notes ?? []) terminal.note(note)
    const turned = sources.weight.tensor.shape.at(-1) !== layer.weight.cols
    return work({ layer, turned, ...context })
  }
  return withDevice((context) => loadLayer(sources, context), start, null)
}

/**
 * Opens the files of a layer, uploads it, notes what is worth knowing about it, hands it to `work` and closes everything
 * however that ends. Throws what opening, reading and `loadLayer` throw, and what `work` throws.
 */
export async function withLayer<T>(
  parsed: LayerArguments,
  terminal: Terminal,
  work: (open: OpenLayer) => Promise<T>,
): Promise<T> {
  return withSources(parsed, terminal, (sources) => uploadLayer(sources, terminal, work))
}

/** What a comparison goes on: a layer, whole or in pieces, and where it is. */
export interface OpenComparison extends LoadContext {
  readonly open: AnyLayer
  /** The weight in its file. */
  readonly weight: TensorSource
}

/** As withLayer, for a comparison: a layer larger than one buffer comes in pieces. Throws what `loadAny` throws. */
export async function withComparison<T>(
  parsed: CompareArguments,
  terminal: Terminal,
  work: (open: OpenComparison) => Promise<T>,
): Promise<T> {
  return withSources(parsed, terminal, (sources) => {
    const start = (open: AnyLayer, context: LoadContext) => {
      for (const note of open.layer.facts.notes ?? []) terminal.note(note)
      return work({ open, weight: sources.weight, ...context })
    }
    return withDevice((context) => loadAny(sources, parsed.request, context), start, parsed.bufferLimit)
  })
}

/** Opens the files of a layer and closes them however `work` ends. */
function withSources<T>(
  parsed: LayerArguments,
  terminal: Terminal,
  work: (sources: LayerSources) => Promise<T>,
): Promise<T> {
  const open = (file: OpenFile, activationsFile: OpenFile) => {
    const sources = sourcesOf(file, activationsFile, parsed)
    for (const note of rowNotes(sources)) terminal.note(note)
    return work(sources)
  }
  const { activationsFile } = parsed
  const openBoth = (file: OpenFile) =>
    activationsFile === null ? open(file, file) : withFile(activationsFile, (other) => open(file, other), terminal)
  return withFile(parsed.file, openBoth, terminal)
}

/** At most about this many lines of progress per method. */
const PROGRESS_LINES = 10

/** A line about every tenth of the steps of `who`. */
export function noteProgress(who: string, { stage, done, total, loss }: Progress, terminal: Terminal): void {
  const error = loss === undefined ? '' : `, relative error ${loss.toFixed(5)}`
  const stride = Math.ceil(total / PROGRESS_LINES)
  if (done % stride === 0 || done === total) terminal.note(`${who}: ${stage}, step ${done} of ${total}${error}`)
}
