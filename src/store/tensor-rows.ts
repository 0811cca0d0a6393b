import { meansActivations, weightObstacle } from '../io/pair-layer'
import { stackSize } from '../io/stack'
import type { TensorView } from '../io/tensor-view'
import { remember } from './remember'
import type { OpenFile, TensorRef } from './state'

/** What a tensor is for, by its shape and name. */
export type TensorKind = 'weights' | 'norms' | 'activations' | 'other'
export const TENSOR_KINDS: readonly TensorKind[] = ['weights', 'norms', 'activations', 'other']

/** One line of the tensor list. */
export interface TensorRow extends TensorRef {
  readonly fileName: string
  readonly kind: TensorKind
  /** Everything of the name before its last two parts, "layers.2.self_attn"; '' when there is nothing. */
  readonly module: string
  readonly dtype: string
  /** Who stores it in codes and scales, "gpt-oss MXFP4"; null where the bytes are the elements. */
  readonly packed: string | null
  /** "192 × 192" */
  readonly shape: string
  /** "144 kB" */
  readonly size: string
  /** The file it is in, where several are read as one. */
  readonly shard: string | null
  /** Matrices in a stack [n, out, in], one of which can be the weight; null for everything else. */
  readonly stack: number | null
  /** Why it cannot be chosen as a weight; null when it can. */
  readonly obstacle: string | null
}

/** "512 × 192"; "scalar" for a tensor without axes. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? 'scalar' : shape.join(' × ')
}

/** Bytes with a decimal unit and three digits at most: "144 kB", "34 MB", "1.5 GB". */
export function byteText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

const NORM_NAME = /norm|(^|[._/])ln_?[a-z0-9]*[._/]/i

/** Weights are what can be compared, norms the gains and offsets before them. */
export function tensorKind(view: TensorView): TensorKind {
  if (meansActivations(view.name)) return 'activations'
  if (weightObstacle(view) === null || stackSize(view) !== null) return 'weights'
  return view.shape.length === 1 && NORM_NAME.test(view.name) ? 'norms' : 'other'
}

/** What comes before the last two parts of a name: the module that holds the projection or the norm. */
function moduleOf(name: string): string {
  const last = name.lastIndexOf('.')
  const before = last < 1 ? -1 : name.lastIndexOf('.', last - 1)
  return before < 0 ? '' : name.slice(0, before)
}

/** Numbers of any length before letters, compared as numbers; far faster over many names than a collator. */
const sortKey = (name: string) => name.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, '0'))

/** All tensors of the files on screen, file by file and module by module, numbers in names compared as numbers. */
export const tensorRows = remember((files: readonly OpenFile[]): readonly TensorRow[] =>
  files.flatMap((file) => {
    const refused = new Map(file.refusals.map(({ name, error }) => [name, error.message]))
    const modules = new Map<string, TensorView[]>()
    for (const view of file.tensors) {
      const module = moduleOf(view.name)
      const views = modules.get(module)
      if (views) views.push(view)
      else modules.set(module, [view])
    }
    return inOrder([...modules], ([module]) => module).flatMap(([module, views]) =>
      inOrder(views, ({ name }) => name.slice(module.length)).map((view) => rowOf(view, file, refused)),
    )
  }),
)

/** `items` by name; the key of each is made once. */
function inOrder<T>(items: readonly T[], nameOf: (item: T) => string): readonly T[] {
  if (items.length < 2) return items
  return items
    .map((item) => ({ item, key: sortKey(nameOf(item)) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ item }) => item)
}

function rowOf(view: TensorView, file: OpenFile, refused: ReadonlyMap<string, string>): TensorRow {
  const stack = stackSize(view)
  return {
    fileId: file.id,
    fileName: file.name,
    tensor: view.name,
    kind: tensorKind(view),
    module: moduleOf(view.name),
    dtype: view.dtype,
    packed: view.storage?.kind === 'packed' ? view.storage.layout : null,
    shape: shapeText(view.shape),
    size: byteText(view.byteLength),
    shard: view.shard?.name ?? null,
    stack,
    obstacle: refused.get(view.name) ?? (stack === null ? weightObstacle(view) : null),
  }
}

/** What a line of the list holds: the name of a file, of a module, a tensor, or what is known about the one above. */
export type TensorLine =
  | { readonly kind: 'file'; readonly key: string; readonly name: string }
  | {
      readonly kind: 'module'
      readonly key: string
      readonly name: string
      readonly tensors: number
      readonly isOpen: boolean
    }
  | { readonly kind: 'tensor'; readonly key: string; readonly row: TensorRow; readonly indent: boolean }
  | { readonly kind: 'details'; readonly key: string; readonly row: TensorRow }

export interface LineOptions {
  /** Names stand over the tensors of each where there is more than one. */
  readonly files: number
  /** Whether the module of this key shows its name only. */
  readonly isClosed: (moduleKey: string) => boolean
  /** Whether the details of the tensor of this key are open. */
  readonly isDetailed: (tensorKey: string) => boolean
}

export const tensorKey = ({ fileId, tensor }: TensorRef) => `${fileId} ${tensor}`

export const moduleKey = ({ fileId, module }: Pick<TensorRow, 'fileId' | 'module'>) => `${fileId} ${module}.`

/** Fewer tensors in a module of their own are not worth a line over them. */
const MODULE_FROM = 2

/** The rows as lines of a tree of two levels. Modules of a single tensor are not named, its own name says it. */
export function tensorLines(
  rows: readonly TensorRow[],
  { files, isClosed, isDetailed }: LineOptions,
): readonly TensorLine[] {
  const lines: TensorLine[] = []
  let start = 0
  while (start < rows.length) {
    const { fileId, fileName, module } = rows[start]
    let end = start
    while (end < rows.length && rows[end].fileId === fileId && rows[end].module === module) end += 1
    if (files > 1 && rows[start - 1]?.fileId !== fileId) lines.push({ kind: 'file', key: fileId, name: fileName })
    const grouped = module !== '' && end - start >= MODULE_FROM
    const key = moduleKey(rows[start])
    const isOpen = !grouped || !isClosed(key)
    if (grouped) lines.push({ kind: 'module', key, name: module, tensors: end - start, isOpen })
    for (const row of isOpen ? rows.slice(start, end) : []) {
      lines.push({ kind: 'tensor', key: tensorKey(row), row, indent: grouped })
      if (isDetailed(tensorKey(row))) lines.push({ kind: 'details', key: `${tensorKey(row)} details`, row })
    }
    start = end
  }
  return lines
}

/** A tensor name in the parts that give way to lack of room one after the other; joined they are the name. */
export interface NameParts {
  /** What stands before the numbered block, such as "model."; never shown in a row. */
  readonly before: string
  /** The numbered block, "layers.2."; stays. '' when there is none. */
  readonly block: string
  /** What is between the block and the end: "self_attn."; the first to go. */
  readonly middle: string
  /** The last two parts, "q_proj.weight"; loses its end at last. */
  readonly end: string
}

/** "model.layers.2.self_attn.q_proj.weight": what tells it from others is the layer number and the end. */
export function nameParts(name: string): NameParts {
  const parts = name.split('.')
  const last = Math.max(0, parts.length - 2)
  const number = parts.findIndex((part, i) => i > 0 && i < last && /^\d+$/.test(part))
  const first = Math.max(0, number - 1)
  const join = (some: readonly string[]) => some.map((part) => `${part}.`).join('')
  return {
    before: join(parts.slice(0, first)),
    block: join(parts.slice(first, number + 1)),
    middle: join(parts.slice(number + 1, last)),
    end: parts.slice(last).join('.'),
  }
}

/** Rows of `kind` (null: of any) whose name holds every word of `search`, whatever their case and order. */
export function searchRows(rows: readonly TensorRow[], search: string, kind: TensorKind | null): readonly TensorRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0 && kind === null) return rows
  return rows.filter((row) => {
    if (kind !== null && row.kind !== kind) return false
    const name = words.length === 0 ? '' : row.tensor.toLowerCase()
    return words.every((word) => name.includes(word))
  })
}

/** How many rows there are of each kind, kinds without any left out. */
export function kindCounts(
  rows: readonly TensorRow[],
): readonly { readonly kind: TensorKind; readonly count: number }[] {
  const counts = new Map<TensorKind, number>()
  for (const { kind } of rows) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return TENSOR_KINDS.flatMap((kind) => (counts.has(kind) ? [{ kind, count: counts.get(kind) ?? 0 }] : []))
}
