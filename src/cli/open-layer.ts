import type { Progress } from '../core/progress'
import { type LayerSources, type LoadedLayer, loadLayer } from '../experiment/load-layer'
import type { TensorSource } from '../experiment/load-tensor'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import type { Terminal } from './command'
import type { LayerArguments } from './layer-arguments'
import { openNodeGpu } from './node-gpu'
import { type OpenFile, tensorByName, withFile } from './open-file'

/** A tensor by name, from the first of `files` that has it. Throws InputError TS-06 when none does. */
function findTensor(files: readonly OpenFile[], name: string): TensorSource {
  const holder = files.find((file) => file.tensors.some((tensor) => tensor.name === name)) ?? files[0]
  return { source: holder.source, tensor: tensorByName(holder, name) }
}

function sourcesOf(file: OpenFile, activationsFile: OpenFile, parsed: LayerArguments): LayerSources {
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

/** An uploaded layer; `arena` owns its matrices and what is added to it. */
export interface OpenLayer {
  readonly layer: LoadedLayer
  /** The weight is stored as [in, out]. */
  readonly turned: boolean
  readonly gpu: Gpu
  readonly arena: Arena
  readonly signal: AbortSignal
}

async function uploadLayer<T>(
  sources: LayerSources,
  terminal: Terminal,
  work: (open: OpenLayer) => Promise<T>,
): Promise<T> {
  const gpu = await openNodeGpu()
  const arena = new Arena(gpu)
  const { signal } = new AbortController()
  try {
    const layer = await loadLayer(sources, { gpu, arena, signal })
    for (const note of layer.facts.notes ?? []) terminal.note(note)
    const turned = sources.weight.tensor.shape.at(-1) !== layer.weight.cols
    return await work({ layer, turned, gpu, arena, signal })
  } finally {
    arena.release()
  }
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
  const open = (file: OpenFile, activationsFile: OpenFile) =>
    uploadLayer(sourcesOf(file, activationsFile, parsed), terminal, work)
  const { activationsFile } = parsed
  return withFile(parsed.file, (file) =>
    activationsFile === null ? open(file, file) : withFile(activationsFile, (other) => open(file, other)),
  )
}

/** At most about this many lines of progress per method. */
const PROGRESS_LINES = 10

/** A line about every tenth of the steps of `who`. */
export function noteProgress(who: string, { stage, done, total, loss }: Progress, terminal: Terminal): void {
  const error = loss === undefined ? '' : `, relative error ${loss.toFixed(5)}`
  const stride = Math.ceil(total / PROGRESS_LINES)
  if (done % stride === 0 || done === total) terminal.note(`${who}: ${stage}, step ${done} of ${total}${error}`)
}
