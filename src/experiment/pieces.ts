/**
 * Layers larger than one buffer: rows of the weight and tokens of the activations are taken in pieces, each an ordinary
 * matrix. Which pieces, what they take, and what cannot be done so (docs/performance.md, "Large layers").
 */
import { UnsupportedError } from '../core/errors'
import type { Quantizer } from '../formats/number-format'
import { bytesApart, EXACT_ABOVE, mebibytes, sizeClass } from '../gpu/buffer-pool'
import { matrixBytes, strideOf } from '../gpu/gpu-matrix'
import { HISTOGRAM_BINS } from '../gpu/kernels/histogram'
import { MAP_COLS, MAP_ROWS } from '../gpu/kernels/magnitude-map'
import { momentWords } from '../gpu/kernels/moments'
import { gptqMemory } from '../methods/gptq/memory'
import type { Method } from '../methods/method'
import { gptq } from '../methods/mitigations/gptq'
import type { LayerFacts } from './result'
import type { SettingQuantizers } from './settings'
import { mostFitting, type TokenScale } from './token-scale'

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

/** What the pieces of a layer have to keep to. */
export interface PieceLimits {
  /** No buffer may be larger. */
  readonly limitBytes: number
  /** For advice on tokens; null: none is given. */
  readonly scale: TokenScale | null
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

/** Rows that one row of channel statistics stands for (channel-stats.ts, moments.ts). */
const SLAB_ROWS = 64

/** What a profile and error sums take beside a piece, at most. */
const TOLD_BYTES = 640 * 1024

/** Words that a profile of [rows, cols] is read back in, of which `total` rows make one map (profile.ts). */
export function profileWords(rows: number, cols: number, total: number): number {
  const slabs = Math.ceil(rows / SLAB_ROWS)
  const map = Math.min(total, MAP_ROWS) * Math.min(cols, MAP_COLS)
  return 1 + HISTOGRAM_BINS + 2 * slabs * strideOf(cols) + momentWords({ rows, cols }) + map
}

/** True when each buffer of a layer is at most `limitBytes`: the weight, the activations, their products, the profile. */
export function fitsWhole(shape: LayerShape, limitBytes: number): boolean {
  const { inDim, evaluationTokens } = shape
  const profile = 4 * profileWords(evaluationTokens, inDim, evaluationTokens)
  return Math.max(profile, ...matricesOf(shape).map(([, bytes]) => bytes)) <= limitBytes
}

/** The largest matrices of a layer. */
function matricesOf({ outDim, inDim, calibrationTokens, evaluationTokens }: LayerShape) {
  const tokens = Math.max(calibrationTokens, evaluationTokens)
  return [
    ['weight takes', matrixBytes(outDim, inDim)],
    ['activations take', matrixBytes(tokens, inDim)],
    ['output takes', matrixBytes(tokens, outDim)],
  ] as const
}

/** `total` rows in equal pieces of at most `most`, multiples of `step` where that many fit. */
function pieceRows(total: number, most: number, step: number): number {
  const largest = most >= step ? most - (most % step) : most
  const pieces = Math.ceil(total / largest)
  const even = Math.ceil(total / pieces)
  return Math.min(largest, most >= step ? Math.ceil(even / step) * step : even)
}

function tooLarge(what: string, bytes: number, limitBytes: number, hint: string): UnsupportedError {
  const [needed, allowed] = bytesApart(bytes, limitBytes)
  return new UnsupportedError('GP-02', `${what} needs ${needed} in one buffer where ${allowed} are allowed. ${hint}`)
}

/** Why a layer cannot be cut into pieces of whole heads; null when it can. `advice` is what to do about tokens. */
function uncuttable(
  { inDim, evaluationTokens }: LayerShape,
  { limitBytes, heads }: { readonly limitBytes: number; readonly heads: number },
  advice: () => string,
): UnsupportedError | null {
  const least = matrixBytes(heads, inDim)
  if (least > limitBytes) {
    const rows = heads === 1 ? 'one row' : `${heads} rows (one head)`
    const help = `Use a layer with fewer channels${heads === 1 ? '' : ', or smaller heads'}; fewer tokens do not help.`
    return tooLarge(`a layer of ${inDim} channels in pieces of ${rows}`, least, limitBytes, help)
  }
  const profile = 4 * profileWords(1, inDim, evaluationTokens)
  if (profile <= limitBytes) return null
  return tooLarge(`the profile of ${evaluationTokens} tokens of ${inDim} channels`, profile, limitBytes, advice())
}

/** How many rows of the weight and tokens go into a piece of a layer that can be cut. */
function cut(shape: LayerShape, limitBytes: number, heads: number) {
  const { outDim, inDim, calibrationTokens, evaluationTokens } = shape
  const affordable = Math.floor(limitBytes / matrixBytes(1, inDim))
  const weightRows = pieceRows(outDim, affordable, heads === 1 ? TILE : heads)
  const byProduct = Math.floor(limitBytes / (4 * strideOf(weightRows)))
  const profile = (rows: number) => 4 * profileWords(rows, inDim, evaluationTokens)
  const slabs = 1 + Math.floor((limitBytes - profile(1)) / (profile(SLAB_ROWS + 1) - profile(1)))
  const tokens = Math.max(calibrationTokens, evaluationTokens)
  const tokenRows = pieceRows(tokens, Math.min(affordable, byProduct, slabs * SLAB_ROWS), TILE)
  return { weightRows, tokenRows }
}

/**
 * The pieces of a layer that does not fit whole, for those of `works` that can be done so. Throws UnsupportedError GP-02,
 * with the numbers, where one row or the profile is too large; `scale` says which number of tokens would help.
 */
export function planPieces(
  shape: LayerShape,
  works: readonly PieceWork[],
  { limitBytes, scale }: PieceLimits,
): PiecePlan {
  const { outDim, inDim, calibrationTokens, evaluationTokens, sameRows } = shape
  // Heads of every setting: the least common multiple, so that no piece ends inside one.
  const heads = works.reduce((size, { headDim }) => leastCommonMultiple(size, headDim ?? 1), 1)
  const room = { limitBytes, heads }
  const canRun = (fewer: LayerShape) => fitsWhole(fewer, limitBytes) || uncuttable(fewer, room, () => '') === null
  const error = uncuttable(shape, room, () => tokensText(scale, canRun) ?? 'Use fewer tokens.')
  if (error) throw error
  const { weightRows, tokenRows } = cut(shape, limitBytes, heads)
  const sets = sameRows ? [calibrationTokens] : [calibrationTokens, evaluationTokens]
  const tokens = sets.reduce((sum, count) => sum + count, 0)
  const weightPieces = Math.ceil(outDim / weightRows)
  const row = matrixBytes(1, inDim)
  const slab = weightRows * row
  const x = tokenRows * row
  const y = matrixBytes(tokenRows, weightRows)
  const profile = 4 * profileWords(tokenRows, inDim, evaluationTokens)
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
  const peak = weight + activations + reference + Math.max(walking + compensating, finding) + TOLD_BYTES
  return {
    limitBytes,
    weightRows,
    tokenRows,
    weightPieces,
    tokenPieces: sets.reduce((sum, count) => sum + Math.ceil(count / tokenRows), 0),
    largestBytes: Math.min(limitBytes, sizeClass(Math.max(slab, x, y, hessian?.largest ?? 0, profile))),
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
  if ('needs' in memory) throw noHessian(channels, memory.needs, limitBytes)
  return memory
}

function noHessian(channels: number, needs: number, limitBytes: number): UnsupportedError {
  const what = `GPTQ of ${channels} channels, whose Hessian takes ${mebibytes(matrixBytes(channels, channels))}, in pieces`
  return tooLarge(what, needs, limitBytes, 'Use a layer with fewer channels, or another method.')
}

/** Of a quantizer whose scale needs the whole product, and so both passes over it. */
const needsWholeOutput = (quantizer: Quantizer | null) => quantizer?.family === 'nvfp' && quantizer.tensorScale

/**
 * Why a method cannot run on a layer in pieces; null when it can: its transform is a rotation known beforehand, the codes
 * of a row of its weight depend on no other row (else GP-06), and its Hessian can be had in rows (else GP-02).
 */
export function refusal(
  work: PieceWork,
  shape: LayerShape,
  { limitBytes, scale }: PieceLimits,
): UnsupportedError | null {
  const { method, quantizers } = work
  const canRotate = method.transform.rotation !== undefined
  const canQuantize = method.mitigation.prepareRows !== undefined
  if (canRotate && canQuantize && !needsWholeOutput(quantizers.output)) {
    const memory = usesHessian(work) ? gptqMemory(shape.inDim, limitBytes) : null
    return memory && 'needs' in memory ? noHessian(shape.inDim, memory.needs, limitBytes) : null
  }
  const [what, bytes] = matricesOf(shape).reduce((most, each) => (each[1] > most[1] ? each : most))
  const [needed, allowed] = bytesApart(bytes, limitBytes)
  const who = `${method.id}${canRotate && canQuantize ? ' with an NVFP4 output' : ''}`
  const help =
    tokensText(scale, (fewer) => fitsWhole(fewer, limitBytes)) ??
    'Leave it out: no number of tokens makes the layer fit whole.'
  return new UnsupportedError(
    'GP-06',
    `${who}: needs the layer whole, and its ${what} ${needed} in one buffer where ${allowed} are allowed. ${help}`,
  )
}

/** Which number of tokens helps; null where none does, or nothing is known of them. */
function tokensText(scale: TokenScale | null, fits: (shape: LayerShape) => boolean): string | null {
  const tokens = scale && mostFitting(scale, fits)
  return scale && tokens !== null ? `Use ${tokens} of ${scale.used} tokens.` : null
}
