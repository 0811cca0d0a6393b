/** Products of other libraries, timed beside ours. The libraries themselves are in the folder bench/, not in the product. */
import type { Matrix } from '../../core/matrix'
import { checkSamples, type Expected, expectedSum } from './checks'
import type { BenchCase } from './entry'

/** a · b of one pair of matrices, uploaded. */
export interface PeerProduct {
  /** Multiplies `repetitions` times and waits until the GPU has done it. */
  run(repetitions: number): Promise<void>
  /** Multiplies once and reads the result back. */
  read(): Promise<Matrix>
  dispose(): void
}

/** A weight [rows, cols] of four bits: (code − 8) · scale, a scale for 32 columns. cols is a multiple of 32. */
export interface Int4Weight {
  readonly rows: number
  readonly cols: number
  /** [rows, cols / 2], the first of two columns in the low half of a byte. */
  readonly codes: Uint8Array<ArrayBuffer>
  /** [rows, cols / 32] */
  readonly scales: Float32Array<ArrayBuffer>
}

/** Another library, opened, with a device of its own on the same adapter. */
export interface Peer {
  /** Name and version. */
  readonly name: string
  /** Uploads a [m, k] and b [k, n], the layout in which libraries multiply. */
  prepare(a: Matrix, b: Matrix): Promise<PeerProduct>
  /** Its product x · wᵀ from codes, where it has one: uploads x [tokens, cols] and the codes. */
  readonly int4?: {
    /** Of the operation. */
    readonly name: string
    prepare(x: Matrix, w: Int4Weight): Promise<PeerProduct>
  }
}

const INT4_BLOCK = 32
const INT4_ZERO = 8
const INT4_LARGEST = 7

/** `w` in four bits. Scales have eight bits of mantissa, so that every value is an f32. */
export function toInt4(w: Matrix): Int4Weight {
  const blocks = w.cols / INT4_BLOCK
  const scales = new Float32Array(w.rows * blocks)
  const codes = new Uint8Array(w.data.length / 2)
  for (let block = 0; block < scales.length; block++) {
    const values = w.data.subarray(block * INT4_BLOCK, (block + 1) * INT4_BLOCK)
    scales[block] = values.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0) / INT4_LARGEST
    const word = new Uint32Array(scales.buffer, 4 * block, 1)
    word[0] &= 0xffff0000
    values.forEach((x, i) => {
      const nearest = Math.round(x / (scales[block] || 1))
      const code = INT4_ZERO + Math.max(-INT4_ZERO, Math.min(INT4_LARGEST, nearest))
      codes[(block * INT4_BLOCK + i) >> 1] |= code << (4 * (i % 2))
    })
  }
  return { rows: w.rows, cols: w.cols, codes, scales }
}

/** Element `col` of row `row`, as every reader of the codes must have it. */
export function int4Value({ cols, codes, scales }: Int4Weight, row: number, col: number): number {
  const at = row * cols + col
  return (((codes[at >> 1] >> (4 * (at % 2))) & 15) - INT4_ZERO) * scales[Math.floor(at / INT4_BLOCK)]
}

interface PeerWork {
  readonly name: string
  readonly operations: number
  prepare(): Promise<PeerProduct>
  /** What element (row, col) must be. */
  expected(row: number, col: number): Expected
}

/** Uploaded when first run, freed by `release`. */
function caseOf({ name, operations, prepare, expected }: PeerWork): BenchCase {
  let product: Promise<PeerProduct> | null = null
  const ready = () => {
    product ??= prepare()
    return product
  }
  return {
    work: { kind: 'operations', operations },
    subject: {
      name,
      run: async (repetitions) => (await ready()).run(repetitions),
      verify: async () => checkSamples(await (await ready()).read(), expected),
    },
    release: async () => {
      if (product) (await product).dispose()
      product = null
    },
  }
}

/** The product of `peer`. */
export function peerCase(peer: Peer, a: Matrix, b: Matrix): BenchCase {
  const term = (row: number, col: number) => (k: number) => a.data[row * a.cols + k] * b.data[k * b.cols + col]
  return caseOf({
    name: `matmul ${peer.name}`,
    operations: 2 * a.rows * a.cols * b.cols,
    prepare: () => peer.prepare(a, b),
    expected: (row, col) => expectedSum(a.cols, term(row, col)),
  })
}

/** The product of `peer` from the codes of `weight`; nothing where it has none or the shape does not fit. */
export function packedPeerCases(peer: Peer, x: Matrix, weight: Matrix): BenchCase[] {
  const { int4 } = peer
  if (!int4 || weight.cols % INT4_BLOCK !== 0) return []
  const w = toInt4(weight)
  const term = (row: number, col: number) => (k: number) => x.data[row * x.cols + k] * int4Value(w, col, k)
  return [
    caseOf({
      name: `packed ${peer.name} ${int4.name}`,
      operations: 2 * x.rows * x.cols * w.rows,
      prepare: () => int4.prepare(x, w),
      expected: (row, col) => expectedSum(x.cols, term(row, col)),
    }),
  ]
}
