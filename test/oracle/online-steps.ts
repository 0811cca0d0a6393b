/**
 * X' from X by the online steps of an export, in float64, written from the formulas of docs/export.md. Reads nothing but
 * kinds, facts and tensors, as a program outside would.
 */

export interface ReadStep {
  readonly kind: string
  readonly facts: Readonly<Record<string, string | number | boolean | null>>
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number> }>>
}

type Row = Float64Array

/** The Walsh-Hadamard matrix of natural order, normalised: (−1)^popcount(i & j) / √size. */
function walsh(size: number, i: number, j: number): number {
  let bits = i & j
  let sign = 1
  for (; bits > 0; bits &= bits - 1) sign = -sign
  return sign / Math.sqrt(size)
}

/** row of [count, size] runs, each times matrix(run): out[j'] = Σ_j x[j] m(j, j'). */
function eachRun(row: Row, size: number, entry: (run: number, from: number, to: number) => number): Row {
  return Float64Array.from(row, (_, channel) => {
    const [run, to] = [Math.floor(channel / size), channel % size]
    let sum = 0
    for (let from = 0; from < size; from++) sum += row[run * size + from] * entry(run, from, to)
    return sum
  })
}

/** row as [size, inner]: out[k', j] = Σ_k x[k, j] m(k, k'). */
function acrossRuns(row: Row, size: number, entry: (from: number, to: number) => number): Row {
  const inner = row.length / size
  return Float64Array.from(row, (_, channel) => {
    const [to, at] = [Math.floor(channel / inner), channel % inner]
    let sum = 0
    for (let from = 0; from < size; from++) sum += row[from * inner + at] * entry(from, to)
    return sum
  })
}

function clipped(row: Row, { facts, tensors }: ReadStep): Row {
  const shares = tensors.shares.data
  if (facts.of === 'row') {
    const low = shares[0] * Math.min(0, ...row)
    const high = shares[1] * Math.max(0, ...row)
    return row.map((x) => Math.min(Math.max(x, low), high))
  }
  const width = Number(facts.width)
  return row.map((x, channel) => {
    const block = Math.floor(channel / width)
    const peak = row
      .subarray(block * width, (block + 1) * width)
      .reduce((max, each) => Math.max(max, Math.abs(each)), 0)
    const bound = peak * (tensors.shares.shape[0] === 1 ? shares[0] : shares[block])
    return Math.sign(x) * Math.min(Math.abs(x), bound)
  })
}

/** One step on one row. */
export function applyStep(row: Row, step: ReadStep): Row {
  const { kind, facts, tensors } = step
  const signed = tensors.signs ? row.map((x, channel) => x * tensors.signs.data[channel]) : row
  switch (kind) {
    case 'scale':
      return row.map((x, channel) => x * tensors.scale.data[channel])
    case 'block-hadamard': {
      const size = Number(facts.size)
      return eachRun(signed, size, (_, from, to) => walsh(size, from, to))
    }
    case 'hadamard': {
      const [run, order] = [Number(facts.run), Number(facts.order)]
      const inner = eachRun(signed, run, (_, from, to) => walsh(run, from, to))
      return order === 1 ? inner : acrossRuns(inner, order, (from, to) => tensors.outer.data[from * order + to])
    }
    case 'kronecker': {
      const [a, b] = [Number(facts.a), Number(facts.b)]
      const right = eachRun(row, b, (_, from, to) => tensors.right.data[from * b + to])
      return acrossRuns(right, a, (from, to) => tensors.left.data[from * a + to])
    }
    case 'matrix':
      return eachRun(row, row.length, (_, from, to) => tensors.matrix.data[from * row.length + to])
    case 'block-matrix': {
      const size = Number(facts.size)
      const base = (run: number) => (facts.shared ? 0 : run * size * size)
      return eachRun(row, size, (run, from, to) => tensors.matrix.data[base(run) + from * size + to])
    }
    case 'clip':
      return clipped(row, step)
    default:
      throw new Error(`unknown step "${kind}"`)
  }
}
