/** Which tensors are chosen, and what could be: pure functions over the open files. */
import { activationCandidates, explainNoActivations, suggestWeight, weightObstacle } from '../io/pair-layer'
import type { TensorView } from '../io/tensor-view'
import type { ActivationSource, OpenFile, SourceSlice, TensorRef } from './state'
import type { LinkState } from './url'

/** A tensor of an open file. */
export interface FileTensor extends TensorRef {
  readonly fileName: string
  readonly view: TensorView
}

/** The files on screen: the built-in layer, or all of the user's. */
export function visibleFiles({ files, active }: Pick<SourceSlice, 'files' | 'active'>): readonly OpenFile[] {
  return files.filter(({ builtIn }) => (active === 'user' ? builtIn === null : builtIn !== null && builtIn === active))
}

/** The tensor a reference names, or null when its file is closed. */
export function findTensor(files: readonly OpenFile[], ref: TensorRef | null): FileTensor | null {
  const file = files.find(({ id }) => id === ref?.fileId)
  const view = file?.tensors.find(({ name }) => name === ref?.tensor)
  return file && view ? { fileId: file.id, tensor: view.name, fileName: file.name, view } : null
}

/** Tensors that could be the activations of `weight`, best match first, those of its own file before all others. */
export function captureCandidates(files: readonly OpenFile[], weight: TensorRef | null): readonly FileTensor[] {
  const chosen = findTensor(files, weight)
  if (!chosen) return []
  const own = files.filter(({ id }) => id === chosen.fileId)
  const others = files.filter(({ id }) => id !== chosen.fileId)
  return [...own, ...others].flatMap((file) =>
    activationCandidates(file.tensors, chosen.view).map((view) => ({
      fileId: file.id,
      tensor: view.name,
      fileName: file.name,
      view,
    })),
  )
}

/** Why no captured activations can be offered; null when some can, or no weight is chosen. */
export function missingActivations(files: readonly OpenFile[], weight: TensorRef | null): string | null {
  const chosen = findTensor(files, weight)
  if (!chosen || captureCandidates(files, weight).length > 0) return null
  return explainNoActivations(
    files.flatMap(({ tensors }) => tensors),
    chosen.view,
  )
}

/** The best captured activations, or synthetic ones when nothing fits. */
export function automaticActivations(files: readonly OpenFile[], weight: TensorRef | null): ActivationSource {
  const [best] = captureCandidates(files, weight)
  return best ? { kind: 'captured', fileId: best.fileId, tensor: best.tensor } : { kind: 'synthetic' }
}

/** The weight to open first among `files`, the first file that has one. */
export function automaticWeight(files: readonly OpenFile[]): TensorRef | null {
  for (const file of files) {
    const view = suggestWeight(file.tensors)
    if (view) return { fileId: file.id, tensor: view.name }
  }
  return null
}

/** Weight and activations as a link names them, the page's own choice where it names none or they do not exist. */
export function selectByName(
  files: readonly OpenFile[],
  link: Pick<LinkState, 'weight' | 'activations'>,
): Pick<SourceSlice, 'weight' | 'activations'> {
  const named = files.flatMap((file) =>
    file.tensors
      .filter((view) => view.name === link.weight && weightObstacle(view) === null)
      .map((view) => ({ fileId: file.id, tensor: view.name })),
  )
  const weight = named[0] ?? automaticWeight(files)
  const wanted = link.activations
  if (wanted?.kind === 'synthetic') return { weight, activations: { kind: 'synthetic' } }
  const captured = captureCandidates(files, weight).find(({ tensor }) => tensor === wanted?.tensor)
  if (captured) {
    return { weight, activations: { kind: 'captured', fileId: captured.fileId, tensor: captured.tensor } }
  }
  return { weight, activations: automaticActivations(files, weight) }
}

/** True when a newly opened file is the input of the weight on screen rather than a layer of its own. */
export function holdsActivationsFor(file: OpenFile, files: readonly OpenFile[], weight: TensorRef | null): boolean {
  const chosen = findTensor(files, weight)
  if (!chosen || file.tensors.some(({ name }) => /(^|[._/])weight$/.test(name))) return false
  return activationCandidates(file.tensors, chosen.view).length > 0
}
