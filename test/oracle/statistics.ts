import type { Matrix } from '../../src/core/matrix'

/** Two-pass float64 moments of all elements. */
export function exactMoments(m: Matrix): { mean: number; variance: number; kurtosis: number } {
  const n = m.data.length
  const mean = m.data.reduce((sum: number, x) => sum + x, 0) / n
  let second = 0
  let fourth = 0
  for (const x of m.data) {
    second += (x - mean) ** 2
    fourth += (x - mean) ** 4
  }
  return { mean, variance: second / n, kurtosis: (n * fourth) / second ** 2 }
}

/** Counts in equal bins over [−range, range), by search through the edges. */
export function exactHistogram(m: Matrix, range: number, bins: number): number[] {
  const edges = Array.from({ length: bins + 1 }, (_, i) => -range + (2 * range * i) / bins)
  const counts = new Array<number>(bins).fill(0)
  for (const x of m.data) counts[edges.findLastIndex((edge) => edge <= x)]++
  return counts
}

/** max |x| and root mean square per column. */
export function exactChannels(m: Matrix): { max: number[]; rms: number[] } {
  const column = (col: number) => Array.from({ length: m.rows }, (_, row) => m.data[row * m.cols + col])
  const columns = Array.from({ length: m.cols }, (_, col) => column(col))
  return {
    max: columns.map((xs) => Math.max(...xs.map(Math.abs))),
    rms: columns.map((xs) => Math.sqrt(xs.reduce((sum, x) => sum + x * x, 0) / m.rows)),
  }
}

/** max |x| per cell: every element goes to the cell whose span, cut in equal shares, holds it. */
export function exactMap(m: Matrix, mapRows: number, mapCols: number): number[] {
  const cells = new Array<number>(mapRows * mapCols).fill(0)
  const starts = (cells: number, length: number) =>
    Array.from({ length: cells }, (_, i) => Math.floor((i * length) / cells))
  const [rowStarts, colStarts] = [starts(mapRows, m.rows), starts(mapCols, m.cols)]
  m.data.forEach((x, i) => {
    const r = rowStarts.findLastIndex((start) => start <= Math.floor(i / m.cols))
    const c = colStarts.findLastIndex((start) => start <= i % m.cols)
    cells[r * mapCols + c] = Math.max(cells[r * mapCols + c], Math.abs(x))
  })
  return cells
}

/** Energies of an estimate against its reference, float64. */
export function exactEnergies(reference: Matrix, estimate: Matrix) {
  const energies = { errorEnergy: 0, referenceEnergy: 0, estimateEnergy: 0, inner: 0, maxAbsolute: 0 }
  reference.data.forEach((y, i) => {
    const z = estimate.data[i]
    energies.errorEnergy += (z - y) ** 2
    energies.referenceEnergy += y * y
    energies.estimateEnergy += z * z
    energies.inner += y * z
    energies.maxAbsolute = Math.max(energies.maxAbsolute, Math.abs(z - y))
  })
  return energies
}
