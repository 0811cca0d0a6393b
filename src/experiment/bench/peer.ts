/** Products of other libraries, timed beside ours. The libraries themselves are in the folder bench/, not in the product. */
import type { Matrix } from '../../core/matrix'
import { checkSamples, expectedSum } from './checks'
import type { BenchCase } from './entry'

/** a · b of one pair of matrices, uploaded. */
export interface PeerProduct {
  /** Multiplies `repetitions` times and waits until the GPU has done it. */
  run(repetitions: number): Promise<void>
  /** Multiplies once and reads the result back. */
  read(): Promise<Matrix>
  dispose(): void
}

/** Another library, opened, with a device of its own on the same adapter. */
export interface Peer {
  /** Name and version. */
  readonly name: string
  /** Uploads a [m, k] and b [k, n], the layout in which libraries multiply. */
  prepare(a: Matrix, b: Matrix): Promise<PeerProduct>
}

/** The product of `peer`; uploaded when first run, freed by `release`. */
export function peerCase(peer: Peer, a: Matrix, b: Matrix): BenchCase {
  let product: Promise<PeerProduct> | null = null
  const ready = () => {
    product ??= peer.prepare(a, b)
    return product
  }
  const term = (row: number, col: number) => (k: number) => a.data[row * a.cols + k] * b.data[k * b.cols + col]
  return {
    work: { kind: 'operations', operations: 2 * a.rows * a.cols * b.cols },
    subject: {
      name: `matmul ${peer.name}`,
      run: async (repetitions) => (await ready()).run(repetitions),
      verify: async () => checkSamples(await (await ready()).read(), (row, col) => expectedSum(a.cols, term(row, col))),
    },
    release: async () => {
      if (product) (await product).dispose()
      product = null
    },
  }
}
