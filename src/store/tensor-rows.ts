import { weightObstacle } from '../io/pair-layer'
import type { OpenFile, TensorRef } from './state'

/** One line of the tensor list. */
export interface TensorRow extends TensorRef {
  readonly fileName: string
  readonly dtype: string
  /** "192 × 192" */
  readonly shape: string
  /** "144 kB" */
  readonly size: string
  /** Why it cannot be chosen as a weight; null when it can. */
  readonly obstacle: string | null
}

const naturalOrder = new Intl.Collator('en', { numeric: true })

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

/** All tensors of the files on screen, file by file, by name with numbers in names compared as numbers. */
export function tensorRows(files: readonly OpenFile[]): readonly TensorRow[] {
  return files.flatMap((file) =>
    file.tensors
      .map((view) => ({
        fileId: file.id,
        fileName: file.name,
        tensor: view.name,
        dtype: view.dtype,
        shape: shapeText(view.shape),
        size: byteText(view.byteLength),
        obstacle: weightObstacle(view),
      }))
      .sort((a, b) => naturalOrder.compare(a.tensor, b.tensor)),
  )
}

/** What a line of the list holds: a tensor, or the name of the file whose tensors follow. */
export type TensorLine =
  | { readonly kind: 'file'; readonly fileId: string; readonly name: string }
  | { readonly kind: 'tensor'; readonly row: TensorRow }

/** The rows, under the names of their files where `fileCount` says that more than one is open. */
export function tensorLines(rows: readonly TensorRow[], fileCount: number): readonly TensorLine[] {
  return rows.flatMap((row, i): TensorLine[] => {
    const line: TensorLine = { kind: 'tensor', row }
    if (fileCount < 2 || rows[i - 1]?.fileId === row.fileId) return [line]
    return [{ kind: 'file', fileId: row.fileId, name: row.fileName }, line]
  })
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

/** Rows whose name holds every word of `search`, whatever their case and order. */
export function searchRows(rows: readonly TensorRow[], search: string): readonly TensorRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  return rows.filter(({ tensor }) => words.every((word) => tensor.toLowerCase().includes(word)))
}
