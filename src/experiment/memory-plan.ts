/** What a run takes on the GPU at once, known before it starts (docs/performance.md, "Memory"). */
import { MxError } from '../core/errors'
import { sizeClass } from '../gpu/buffer-pool'
import { strideOf } from '../gpu/gpu-matrix'
import { HISTOGRAM_BINS } from '../gpu/kernels/histogram'
import { MAP_COLS, MAP_ROWS } from '../gpu/kernels/magnitude-map'
import { momentWords } from '../gpu/kernels/moments'
import { operandSumsBytes } from '../gpu/kernels/operand-error-sums'
import { outputSumsBytes } from '../gpu/kernels/output-error-sums'
import { literalFactor } from '../gpu/kernels/pre-scale'
import {
  columnStatistics,
  type MethodSize,
  type MitigationMemory,
  matrixClass,
  roundedCopies,
  type TransformMemory,
  wordsClass,
} from '../methods/memory'
import type { Method, RotationInput } from '../methods/method'
import type { LayerShape, PiecePlan } from './pieces'
import type { ComparisonRequest } from './request'
import type { ResultIdentity } from './result'
import type { SettingQuantizers } from './settings'

/** Bytes of one run. Plain data. */
export interface MemoryPlan {
  /** All that lives at the worst moment. */
  readonly peakBytes: number
  readonly weightBytes: number
  readonly activationBytes: number
  /** Outputs in full precision, which errors are measured against. */
  readonly referenceBytes: number
  /** What each method takes beside those, in running order. */
  readonly methods: readonly MethodBytes[]
  /** No buffer may be larger. */
  readonly limitBytes: number
  /** How a layer is cut that no buffer holds; null: it is taken whole. */
  readonly pieces: PiecePlan | null
}

export interface MethodBytes {
  readonly method: string
  readonly setting: string
  readonly bytes: number
}

/** A method under a setting, as far as its memory depends on it. */
export interface PlannedWork {
  readonly method: Method
  readonly quantizers: SettingQuantizers
  readonly identity: Pick<ResultIdentity, 'method' | 'setting' | 'options'>
}

/** The layer of a run, the device it runs on, and what else the run is asked for. */
export interface PlannedLayer extends LayerShape, Pick<ComparisonRequest, 'headDim' | 'scaleAnalysis'> {
  readonly limitBytes: number
  readonly isSoftware: boolean
}

/** Words and vectors too small to be counted one by one. */
const SMALL_BYTES = 64 * 1024

/** The plan of `works` on a layer that is taken whole. */
export async function memoryPlan(layer: PlannedLayer, works: readonly PlannedWork[]): Promise<MemoryPlan> {
  const { outDim, inDim, limitBytes } = layer
  const weightBytes = matrixClass(outDim, inDim)
  const sets = rowSets(layer)
  const sum = (bytes: (rows: number) => number) => sets.reduce((total, rows) => total + bytes(rows), 0)
  const activationBytes = sum((rows) => matrixClass(rows, inDim))
  const referenceBytes = sum((rows) => matrixClass(rows, outDim))
  const methods: MethodBytes[] = []
  for (const work of works) {
    const { method, setting } = work.identity
    methods.push({ method, setting, bytes: await methodBytes(layer, work) })
  }
  const layerBytes = weightBytes + activationBytes
  // While the layer is loaded, one matrix also lies there as it is stored.
  const loading = Math.max(weightBytes, ...sets.map((rows) => matrixClass(rows, inDim)))
  const running = referenceBytes + Math.max(0, ...methods.map(({ bytes }) => bytes))
  return {
    peakBytes: layerBytes + Math.max(loading, running),
    ...{ weightBytes, activationBytes, referenceBytes, methods, limitBytes, pieces: null },
  }
}

/** Rows of X that errors are measured on: of both sets, or of the one they are. */
function rowSets({ calibrationTokens, evaluationTokens, sameRows }: LayerShape): readonly number[] {
  return sameRows ? [calibrationTokens] : [calibrationTokens, evaluationTokens]
}

/** What one method takes beside the layer; nothing where its own checks refuse the layer. */
async function methodBytes(layer: PlannedLayer, { method, quantizers, identity }: PlannedWork): Promise<number> {
  const { weight, activation } = quantizers
  const { outDim, inDim, limitBytes, isSoftware } = layer
  const input: RotationInput = {
    config: { weight, activation },
    options: identity.options,
    headDim: layer.headDim,
  }
  const size: MethodSize = { outDim, inDim, tokens: layer.calibrationTokens, limitBytes, isSoftware }
  try {
    const transform = await method.transform.memory(size, input)
    const mitigation = await method.mitigation.memory(size, input, transform)
    const { fitting, kept } = transform
    const after = kept + mitigation.kept + measuring(layer, quantizers, { transform, mitigation })
    return SMALL_BYTES + Math.max(fitting, kept + mitigation.working, after)
  } catch (error) {
    if (error instanceof MxError) return 0
    throw error
  }
}

interface Memories {
  readonly transform: TransformMemory
  readonly mitigation: MitigationMemory
}

/** As measure: X', X̂ and Ŷ of every set of rows, sums of their errors, the profile, and the analysis of scales. */
function measuring(layer: PlannedLayer, quantizers: SettingQuantizers, { transform, mitigation }: Memories): number {
  const { outDim, inDim, evaluationTokens, scaleAnalysis } = layer
  const { weight, activation, output } = quantizers
  const { clips } = transform
  const ofRows = (rows: number) => {
    const x = matrixClass(rows, inDim)
    const y = matrixClass(rows, outDim)
    const branch = mitigation.rank > 0 ? matrixClass(rows, mitigation.rank) + 2 * y : 0
    const rounded = activation ? (roundedCopies(activation) + Number(clips.activations)) * x : 0
    const sums = sizeClass(outputSumsBytes({ rows, stride: strideOf(outDim) })) + operandSums(activation, rows, inDim)
    return transform.applied(rows) + rounded + y + branch + roundedCopies(output) * y + sums
  }
  const sets = rowSets(layer).reduce((total, rows) => total + ofRows(rows), 0)
  const told = operandSums(weight, outDim, inDim) + profileBytes(evaluationTokens, inDim)
  return sets + told + (scaleAnalysis ? analysisBytes(layer, quantizers, clips) : 0)
}

/** Error sums of an operand; under a literal pre-scale also of the multiplied one. */
function operandSums(quantizer: SettingQuantizers['weight'], rows: number, cols: number): number {
  if (!quantizer) return 0
  const sums = sizeClass(operandSumsBytes({ rows, stride: strideOf(cols) }))
  return literalFactor(quantizer) === null ? sums : 2 * sums + matrixClass(rows, cols)
}

/** What the profile of [rows, cols] is made of, and the copy that is read back. */
function profileBytes(rows: number, cols: number): number {
  const slabs = Math.ceil(rows / 64)
  const map = Math.min(rows, MAP_ROWS) * Math.min(cols, MAP_COLS)
  const moments = momentWords({ rows, cols })
  const packed = 1 + HISTOGRAM_BINS + 2 * slabs * strideOf(cols) + moments + map
  return (
    wordsClass(HISTOGRAM_BINS) +
    columnStatistics(rows, cols) +
    wordsClass(moments) +
    wordsClass(map) +
    wordsClass(packed)
  )
}

/** As analyseScales: clipped operands, and the product of a point. */
function analysisBytes(
  { outDim, inDim, evaluationTokens }: PlannedLayer,
  { weight, activation }: SettingQuantizers,
  clips: TransformMemory['clips'],
): number {
  const [w, x, y] = [
    matrixClass(outDim, inDim),
    matrixClass(evaluationTokens, inDim),
    matrixClass(evaluationTokens, outDim),
  ]
  const clipped = (weight && clips.weight ? w : 0) + (activation && clips.activations ? 2 * x : 0)
  return clipped + roundedCopies(weight) * w + roundedCopies(activation) * x + y
}
