/** What methods say about the memory they take, before they run: bytes as the pool hands them out (gpu/buffer-pool.ts). */
import type { Quantizer } from '../formats/number-format'
import { sizeClass } from '../gpu/buffer-pool'
import { matrixBytes } from '../gpu/gpu-matrix'
import type { BlockWidth } from '../gpu/kernels/block-layout'
import { literalFactor } from '../gpu/kernels/pre-scale'

/** The layer a method is given, and the device it runs on. */
export interface MethodSize {
  readonly outDim: number
  readonly inDim: number
  /** Calibration rows. */
  readonly tokens: number
  /** No buffer may be larger. */
  readonly limitBytes: number
  readonly isSoftware: boolean
}

/** Bytes of a result under the name it is shared by (once.ts). */
export interface SharedBytes {
  readonly name: string
  readonly bytes: number
}

/** Bytes of a transform. */
export interface TransformMemory {
  /** All that lives at the worst moment of the fit, beside what is shared. */
  readonly fitting: number
  /** What the fit shares of the rows as they are. */
  readonly shared: readonly SharedBytes[]
  /** What is left of it: W' and what `apply` works with. */
  readonly kept: number
  /** What `apply` to so many rows leaves. */
  applied(rows: number): number
  /** Which operands are clamped before they are rounded. */
  readonly clips: { readonly weight: boolean; readonly activations: boolean }
}

/** Bytes of a mitigation, beside those of the transform with X' of the calibration rows. */
export interface MitigationMemory {
  /** All that lives at the worst moment, beside what is shared. */
  readonly working: number
  /** What it shares of X'. */
  readonly shared: readonly SharedBytes[]
  /** What is left of it. */
  readonly kept: number
  /** Rank of the low-rank branch; 0: none. */
  readonly rank: number
}

export const NO_CLIPS: TransformMemory['clips'] = { weight: false, activations: false }

/** Bytes of a [rows, cols] matrix. */
export const matrixClass = (rows: number, cols: number) => sizeClass(matrixBytes(rows, cols))

/** Bytes of a buffer of so many words. */
export const wordsClass = (words: number) => sizeClass(4 * words)

/** Bytes of W, X and Y of a layer. */
export function operandBytes({ outDim, inDim, tokens }: MethodSize): { w: number; x: number; y: number } {
  return { w: matrixClass(outDim, inDim), x: matrixClass(tokens, inDim), y: matrixClass(tokens, outDim) }
}

/** Copies of an operand that rounding makes; a literal pre-scale multiplies before and divides after. */
export function roundedCopies(quantizer: Quantizer | null): number {
  if (!quantizer) return 0
  return literalFactor(quantizer) === null ? 1 : 3
}

/** Bytes of one word for every block of a [rows, cols] matrix. */
export function blockWords(rows: number, cols: number, width: BlockWidth): number {
  return wordsClass(rows * (width === 'row' ? 1 : Math.ceil(cols / width)))
}

/** Bytes of the statistics of the columns of `rows` rows (channel-stats.ts): two rows for every 64. */
export const columnStatistics = (rows: number, cols: number) => 2 * matrixClass(Math.ceil(rows / 64), cols)
