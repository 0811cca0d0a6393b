/**
 * Layers larger than one buffer: rows of the weight and tokens of the activations are taken in pieces, each an ordinary
 * matrix. Which pieces, what they take, and what cannot be done so (docs/performance.md, "Large layers").
 */
import { UnsupportedError } from '../core/errors'
import type { Quantizer } from '../formats/number-format'
import { EXACT_ABOVE, mebibytes, sizeClass } from '../gpu/buffer-pool'
import { matrixBytes, strideOf } from '../gpu/gpu-matrix'
import { gptqMemory } from '../methods/gptq/memory'
import type { Method } from '../methods/method'
import { gptq } from '../methods/mitigations/gptq'
import type { LayerFacts } from './result'
import type { SettingQuantizers } from './settings'

/** Size of a layer. */
export type LayerShape = Pick<LayerFacts, 'outDim' | 'inDim' | 'calibrationTokens' | 'evaluationTokens' | 'sameRows'>

/** How a layer is cut, and what the run will take. Plain data. */
export interface PiecePlan {
  /** No buffer may be larger. */
  readonly limitBytes: number
  /** Rows of the weight and tokens in one piece; the last ones may have fewer. */
  readonly weightRows: number
  readonly tokenRows: number
  readonly weightPieces: number
  /** Of calibration and evaluation rows together. */
  readonly tokenPieces: number
  /** The largest buffer, and all that lives at once; estimates from above. */
  readonly largestBytes: number
  readonly peakBytes: number
  /** Of these, what lies there for the whole run. */
  readonly residentBytes: { readonly weight: number; readonly activations: number; readonly reference: number }
}

/** What a run does with a layer in pieces, as far as its memory depends on it. */
export interface PieceWork {
  readonly method: Method
  readonly quantizers: SettingQuantizers
  /** Where the output is quantized, channels of one head; else null. */
  readonly headDim: number | null
}

/** Rows in one piece are a multiple of this, where so many fit: the tile of every product. */
const TILE = 64

/** Read-backs of a profile and of error sums take this whatever the size of a piece (profile.ts, operand-error-sums.ts). */
const FIXED_BYTES = 320 * 1024

/** True when each matrix of a layer fits one buffer of `limitBytes`: the weight, the activations, their products. */
export function fitsWhole(shape: LayerShape, limitBytes: number): boolean {
  const tokens = Math.max(shape.calibrationTokens, shape.evaluationTokens)
  const { outDim, inDim } = shape
  return [matrixBytes(outDim, inDim), matrixBytes(tokens, inDim), matrixBytes(tokens, outDim)].every(
    (bytes) => bytes <= limitBytes,
  )
}

/** `total` rows in equal pieces of at most `most`, multiples of `step` where that many fit. */
function pieceRows(total: number, most: number, step: number): number {
  const largest = most >= step ? most - (most % step) : most
  const pieces = Math.ceil(total / largest)
  const even = Math.ceil(total / pieces)
  return Math.min(largest, most >= step ? Math.ceil(even / step) * step : even)
}

function tooLarge(what: string, bytes: number, limitBytes: number, hint: string): UnsupportedError {
  const numbers = `needs ${mebibytes(bytes)} in one buffer, ${mebibytes(limitBytes)} are allowed`
  return new UnsupportedError('GP-02', `${what} ${numbers}. ${hint}`)
}

/** How many rows of the weight and tokens go into a piece. Throws UnsupportedError GP-02. */
function cut({ outDim, inDim, calibrationTokens, evaluationTokens }: LayerShape, limitBytes: number, heads: number) {
  const rowBytes = matrixBytes(1, inDim)
  const affordable = Math.floor(limitBytes / rowBytes)
  const least = Math.max(rowBytes * heads, FIXED_BYTES)
  if (least > limitBytes) {
    const rows = heads === 1 ? 'one row' : `${heads} rows (one head)`
    throw tooLarge(`a layer of ${inDim} channels in pieces of ${rows}`, least, limitBytes, 'Use a larger limit.')
  }
  const weightRows = pieceRows(outDim, affordable, heads === 1 ? TILE : heads)
  const byProduct = Math.floor(limitBytes / (4 * strideOf(weightRows)))
  const tokens = Math.max(calibrationTokens, evaluationTokens)
  const tokenRows = pieceRows(tokens, Math.min(affordable, byProduct), TILE)
  return { weightRows, tokenRows }
}

/**
 * The pieces of a layer that does not fit whole, for those of `works` that can be done so. Throws UnsupportedError GP-02,
 * with the numbers, where one row is too large or GPTQ's Hessian cannot be had in rows.
 */
export function planPieces(shape: LayerShape, works: readonly PieceWork[], limitBytes: number): PiecePlan {
  const { outDim, inDim, calibrationTokens, evaluationTokens, sameRows } = shape
  // Heads of every setting: the least common multiple, so that no piece ends inside one.
  const heads = works.reduce((size, { headDim }) => leastCommonMultiple(size, headDim ?? 1), 1)
  const { weightRows, tokenRows } = cut(shape, limitBytes, heads)
  const sets = sameRows ? [calibrationTokens] : [calibrationTokens, evaluationTokens]
  const tokens = sets.reduce((sum, count) => sum + count, 0)
  const weightPieces = Math.ceil(outDim / weightRows)
  const row = matrixBytes(1, inDim)
  const slab = weightRows * row
  const x = tokenRows * row
  const y = matrixBytes(tokenRows, weightRows)
  const outputs = tokens * matrixBytes(1, weightRows) * weightPieces
  const weight = pooled(slab, outDim * row)
  const activations = pooled(x, tokens * row)
  const reference = pooled(y, outputs)
  // Rounded rows for the whole method; rotated and rounded pieces, what a rotation needs in between, products.
  const walking = pooled(x, tokens * row + 2 * x) + pooled(slab, 4 * slab) + pooled(y, 3 * y)
  const hessian = works.some(usesHessian) ? needsOf(inDim, limitBytes) : null
  // In processing order, what came of it, errors, scales, and three matrices to compare them.
  const compensating = hessian ? pooled(hessian.largest, hessian.kept) + pooled(slab, 6 * slab) : 0
  const finding = hessian ? pooled(hessian.largest, hessian.finding) + pooled(x, 3 * x) : 0
  const peak = weight + activations + reference + Math.max(walking + compensating, finding) + 2 * FIXED_BYTES
  return {
    limitBytes,
    weightRows,
    tokenRows,
    weightPieces,
    tokenPieces: sets.reduce((sum, count) => sum + Math.ceil(count / tokenRows), 0),
    largestBytes: Math.min(limitBytes, sizeClass(Math.max(slab, x, y, hessian?.largest ?? 0, FIXED_BYTES))),
    peakBytes: Math.ceil(peak),
    residentBytes: { weight, activations, reference },
  }
}

/** What `bytes` in buffers of `piece` take in the pool: up to half as much again where buffers come in classes of size. */
const pooled = (piece: number, bytes: number) => (piece > EXACT_ABOVE ? 1 : 1.5) * bytes

const usesHessian = ({ method, quantizers }: PieceWork) => method.mitigation === gptq && quantizers.weight !== null

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b]
  while (y > 0) [x, y] = [y, x % y]
  return (a / x) * b
}

function needsOf(channels: number, limitBytes: number) {
  const memory = gptqMemory(channels, limitBytes)
  if ('needs' in memory) {
    const what = `GPTQ of ${channels} channels, whose Hessian takes ${mebibytes(matrixBytes(channels, channels))} in pieces`
    throw tooLarge(what, memory.needs, limitBytes, 'Use a layer with fewer channels, or another method.')
  }
  return memory
}

/** Of a quantizer whose scale needs the whole product, and so both passes over it. */
const needsWholeOutput = (quantizer: Quantizer | null) => quantizer?.family === 'nvfp' && quantizer.tensorScale

/**
 * Why a method cannot run on a layer in pieces; null when it can: its transform is a rotation known beforehand, and the
 * codes of a row of its weight depend on no other row.
 */
export function refusal(
  { method, quantizers }: PieceWork,
  shape: LayerShape,
  limitBytes: number,
): UnsupportedError | null {
  const { outDim, inDim } = shape
  const canRotate = method.transform.rotation !== undefined
  const canQuantize = method.mitigation.prepareRows !== undefined
  if (canRotate && canQuantize && !needsWholeOutput(quantizers.output)) return null
  const tokens = Math.max(shape.calibrationTokens, shape.evaluationTokens)
  const sizes = [
    ['weight takes', matrixBytes(outDim, inDim)],
    ['activations take', matrixBytes(tokens, inDim)],
    ['output takes', matrixBytes(tokens, outDim)],
  ] as const
  const [what, bytes] = sizes.reduce((most, each) => (each[1] > most[1] ? each : most))
  const rows = Math.floor(limitBytes / matrixBytes(1, inDim))
  const most = Math.min(rows, Math.floor(limitBytes / matrixBytes(1, Math.min(outDim, rows))))
  return new UnsupportedError(
    'GP-06',
    `${method.id}${canRotate && canQuantize ? ' with an NVFP4 output' : ''}: needs the layer whole, and its ${what} ` +
      `${mebibytes(bytes)} in one buffer where ${mebibytes(limitBytes)} are allowed. ${Math.min(rows, outDim)} of ${outDim} rows of ` +
      `the weight with ${Math.min(most, tokens)} of ${tokens} tokens would fit.`,
  )
}
