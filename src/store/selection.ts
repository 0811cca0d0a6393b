/** Which tensors are chosen, and what could be: pure functions over the open files. */

import { normGainOf } from '../io/norm-gain'
import {
  activationCandidates,
  explainNoActivations,
  meansActivations,
  suggestWeight,
  weightObstacle,
} from '../io/pair-layer'
import { sliceOf, stackSize } from '../io/stack'
import type { TensorView } from '../io/tensor-view'
import { remember } from './remember'
import type { ActivationSource, OpenFile, SourceSlice, TensorRef } from './state'
import type { LinkState } from './url'

/** A tensor of an open file. */
export interface FileTensor extends TensorRef {
  readonly fileName: string
  readonly view: TensorView
}

/** What of the user's is a layer of its own: no file that is read as part of a checkpoint, and none without tensors. */
const standsAlone = remember((files: readonly OpenFile[]): readonly OpenFile[] => {
  const joined = new Set(files.flatMap(({ parts }) => parts))
  return files.filter(({ id, builtIn, kind }) => {
    return builtIn === null && kind !== 'index' && kind !== 'config' && !joined.has(id)
  })
})

/** The files on screen: the built-in layer, or all of the user's, shards that belong together as one. */
export function visibleFiles({ files, active }: Pick<SourceSlice, 'files' | 'active'>): readonly OpenFile[] {
  if (active === 'user') return standsAlone(files)
  return files.filter(({ builtIn }) => builtIn !== null && builtIn === active)
}

const views = new WeakMap<readonly TensorView[], ReadonlyMap<string, TensorView>>()

/** A tensor by its name; the list is indexed once. */
export function viewOf({ tensors }: Pick<OpenFile, 'tensors'>, name: string): TensorView | undefined {
  const known = views.get(tensors) ?? new Map(tensors.map((view) => [view.name, view]))
  views.set(tensors, known)
  return known.get(name)
}

/** The tensor a reference names, one matrix of a stack as such; null when its file is closed or it is not there. */
export function findTensor(files: readonly OpenFile[], ref: TensorRef | null): FileTensor | null {
  const file = files.find(({ id }) => id === ref?.fileId)
  const whole = file && ref ? viewOf(file, ref.tensor) : undefined
  if (!file || !ref || !whole) return null
  const { slice } = ref
  const count = stackSize(whole)
  const isSlice = slice !== undefined && count !== null && slice < count
  const view = isSlice ? sliceOf(whole, slice) : whole
  return { ...ref, fileName: file.name, view }
}

/** How many matrices the stack holds that the chosen weight is one of; null where it is no slice. */
export function chosenStack(files: readonly OpenFile[], ref: TensorRef | null): number | null {
  const file = files.find(({ id }) => id === ref?.fileId)
  const whole = file && ref?.slice !== undefined ? viewOf(file, ref.tensor) : undefined
  return whole ? stackSize(whole) : null
}

/** Tensors that could be the activations of `weight`, best match first, those of its own file before all others. */
export const captureCandidates = remember((files: readonly OpenFile[], weight: TensorRef | null) => {
  const chosen = findTensor(files, weight)
  if (!chosen) return []
  const own = files.filter(({ id }) => id === chosen.fileId)
  const others = files.filter(({ id }) => id !== chosen.fileId)
  return [...own, ...others].flatMap((file) =>
    activationCandidates(file.tensors, chosen.view).map(
      (view): FileTensor => ({ fileId: file.id, tensor: view.name, fileName: file.name, view }),
    ),
  )
})

/** Why no captured activations can be offered; null when some can, or no weight is chosen. */
export const missingActivations = remember((files: readonly OpenFile[], weight: TensorRef | null): string | null => {
  const chosen = findTensor(files, weight)
  if (!chosen || captureCandidates(files, weight).length > 0) return null
  return explainNoActivations(
    files.flatMap(({ tensors }) => tensors),
    chosen.view,
  )
})

/** The gain of the norm whose output `weight` reads, in the weight's own file; null where there is none. */
export const gainOf = remember((files: readonly OpenFile[], weight: TensorRef | null) => {
  const chosen = findTensor(files, weight)
  const file = files.find(({ id }) => id === chosen?.fileId)
  const found = chosen && file ? normGainOf(file.tensors, chosen.view) : null
  return found && file ? { fileId: file.id, tensor: found.tensor.name, plusOne: found.plusOne } : null
})

/** The best captured activations, else seeded ones, with the gain of the norm before the weight where it is known. */
export function automaticActivations(files: readonly OpenFile[], weight: TensorRef | null): ActivationSource {
  const [best] = captureCandidates(files, weight)
  if (best) return { kind: 'captured', fileId: best.fileId, tensor: best.tensor }
  return { kind: gainOf(files, weight) ? 'norm' : 'synthetic' }
}

/** What a tensor that is an input, by its name or because it is used as one, can be used as. */
export interface TensorUses {
  /** Whether it is the input of the weight on screen. */
  readonly isActivations: boolean
  readonly isWeight: boolean
  /** Whether the weight on screen can read it. */
  readonly fits: boolean
}

/** null for a tensor that is no input: its row chooses it as the weight, which that of an input does on request only. */
export function inputUses(source: SourceSlice, { fileId, tensor }: TensorRef): TensorUses | null {
  const isIt = (ref: TensorRef | null) => ref?.fileId === fileId && ref.tensor === tensor
  const { activations, weight } = source
  const isActivations = activations.kind === 'captured' && isIt(activations)
  if (!isActivations && !meansActivations(tensor)) return null
  const fits = captureCandidates(visibleFiles(source), weight).some(isIt)
  return { isActivations, isWeight: isIt(weight), fits }
}

/** The weight to open first among `files`, the first file that has one. */
export const automaticWeight = remember((files: readonly OpenFile[]): TensorRef | null => {
  for (const file of files) {
    const view = suggestWeight(file.tensors)
    if (view) return { fileId: file.id, tensor: view.name }
  }
  return null
})

/** What a link calls the weight: its name, `name[3]` for a matrix of a stack. */
export const weightName = (ref: TensorRef | null): string | null =>
  ref && (ref.slice === undefined ? ref.tensor : `${ref.tensor}[${ref.slice}]`)

/** The weight a link names, `name[3]` being a matrix of a stack; null when no file has it or it cannot be one. */
function namedWeight(files: readonly OpenFile[], name: string): TensorRef | null {
  const [, stack, slice] = /^(.*)\[(\d+)\]$/.exec(name) ?? []
  for (const file of files) {
    const view = viewOf(file, name)
    if (view && weightObstacle(view) === null) return { fileId: file.id, tensor: name }
    const whole = stack === undefined ? undefined : viewOf(file, stack)
    if (whole && Number(slice) < (stackSize(whole) ?? 0))
      return { fileId: file.id, tensor: stack, slice: Number(slice) }
  }
  return null
}

/** Weight and activations as a link names them, the page's own choice where it names none or they do not exist. */
export function selectByName(
  files: readonly OpenFile[],
  link: Pick<LinkState, 'weight' | 'activations'>,
): Pick<SourceSlice, 'weight' | 'activations'> {
  const weight = (link.weight === null ? null : namedWeight(files, link.weight)) ?? automaticWeight(files)
  const wanted = link.activations
  if (wanted?.kind === 'synthetic') return { weight, activations: { kind: 'synthetic' } }
  if (wanted?.kind === 'norm' && gainOf(files, weight)) return { weight, activations: { kind: 'norm' } }
  const name = wanted?.kind === 'captured' ? wanted.tensor : null
  const captured = captureCandidates(files, weight).find(({ tensor }) => tensor === name)
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
