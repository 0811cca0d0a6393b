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

/** All tensors of the files on screen by name, numbers in names compared as numbers. */
export function tensorRows(files: readonly OpenFile[]): readonly TensorRow[] {
  return files
    .flatMap((file) =>
      file.tensors.map((view) => ({
        fileId: file.id,
        fileName: file.name,
        tensor: view.name,
        dtype: view.dtype,
        shape: shapeText(view.shape),
        size: byteText(view.byteLength),
        obstacle: weightObstacle(view),
      })),
    )
    .sort((a, b) => naturalOrder.compare(a.tensor, b.tensor))
}

/** Rows whose name holds every word of `search`, whatever their case and order. */
export function searchRows(rows: readonly TensorRow[], search: string): readonly TensorRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  return rows.filter(({ tensor }) => words.every((word) => tensor.toLowerCase().includes(word)))
}
