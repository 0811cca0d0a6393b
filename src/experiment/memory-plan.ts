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
  type SharedBytes,
  type TransformMemory,
  wordsClass,
} from '../methods/memory'
import type { Method, RotationInput } from '../methods/method'
import { type LayerShape, type PiecePlan, profileWords } from './pieces'
import type { ComparisonRequest } from './request'
import type { ResultIdentity } from './result'
import type { SettingQuantizers } from './settings'
import { AS_LOADED, fitName, type RowSet, roundedName, weightName } from './shared-fit'
import { isReference, type KeptBytes, namesToDrop, nameUnder, touch } from './shared-work'

/** Bytes of one run. Plain data. */
export interface MemoryPlan {
  /** All that lives at the worst moment. */
  readonly peakBytes: number
  readonly weightBytes: number
  readonly activationBytes: number
  /** Outputs in full precision, which errors are measured against. */
  readonly referenceBytes: number
  /** What each method takes beside those, what is kept of work before it included, in running order. */
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
  /** Why it will fail, where that is known beforehand: it needs the layer whole, or its Hessian does not fit. */
  readonly refusal?: string
}

/** A method under a setting, as far as its memory depends on it. */
export interface PlannedWork {
  readonly method: Method
  readonly quantizers: SettingQuantizers
  readonly identity: Pick<ResultIdentity, 'method' | 'setting' | 'options' | 'seed'>
}

/** The layer of a run, the device it runs on, and what else the run is asked for. */
export interface PlannedLayer extends LayerShape, Pick<ComparisonRequest, 'headDim' | 'scaleAnalysis'> {
  readonly limitBytes: number
  readonly isSoftware: boolean
}

/** Words and vectors too small to be counted one by one. */
const SMALL_BYTES = 64 * 1024

/** The plan of `works` on a layer that is taken whole, of which `kept` is there from work before. */
export async function memoryPlan(
  layer: PlannedLayer,
  works: readonly PlannedWork[],
  kept: KeptBytes = new Map(),
): Promise<MemoryPlan> {
  const { outDim, inDim, limitBytes } = layer
  const weightBytes = matrixClass(outDim, inDim)
  const sets = rowSets(layer)
  const sum = (bytes: (rows: number) => number) => sets.reduce((total, { rows }) => total + bytes(rows), 0)
  const activationBytes = sum((rows) => matrixClass(rows, inDim))
  const referenceBytes = sum((rows) => matrixClass(rows, outDim))
  const methods: MethodBytes[] = []
  const shared = new Map([...kept].filter(([name]) => !isReference(name)))
  for (const work of works) {
    const { method, setting } = work.identity
    methods.push({ method, setting, bytes: await methodBytes(layer, work, shared) })
  }
  const layerBytes = weightBytes + activationBytes
  // While the layer is loaded, one matrix also lies there as it is stored.
  const loading = Math.max(weightBytes, ...sets.map(({ rows }) => matrixClass(rows, inDim)))
  const running = referenceBytes + Math.max(0, ...methods.map(({ bytes }) => bytes))
  return {
    peakBytes: layerBytes + Math.max(loading, running),
    ...{ weightBytes, activationBytes, referenceBytes, methods, limitBytes, pieces: null },
  }
}

/** Rows of X that errors are measured on: of both sets, or of the one they are. */
function rowSets({ calibrationTokens, evaluationTokens, sameRows }: LayerShape) {
  const of = (set: RowSet, rows: number) => ({ set, rows })
  const calibration = of('calibration', calibrationTokens)
  return sameRows ? [calibration] : [calibration, of('evaluation', evaluationTokens)]
}

/**
 * What one method takes beside the layer, where `kept` is there of work before it, and is afterwards what stays of both;
 * nothing where its own checks refuse the layer.
 */
async function methodBytes(layer: PlannedLayer, work: PlannedWork, kept: Map<string, number>): Promise<number> {
  const steps = await stepsOf(layer, work)
  if (!steps) return 0
  const { fit, weight, rounded, ofLayer, ofFit, fitting, working, measuring } = steps
  const missing = (entries: readonly SharedBytes[]) =>
    entries.reduce((sum, { name, bytes }) => sum + (kept.has(name) ? 0 : bytes), 0)
  const before = [...kept.values()].reduce((sum, bytes) => sum + bytes, 0)
  const fresh = [...ofLayer, ...ofFit].filter(({ name }, at, all) => all.findIndex((one) => one.name === name) === at)
  const whileFitting = kept.has(fit.name) ? 0 : missing(ofLayer) + fitting
  const whileQuantizing = kept.has(weight.name) ? 0 : missing([fit, ...fresh]) + working
  const whileMeasuring = missing([fit, ...fresh, weight, ...rounded]) + measuring
  for (const { name, bytes } of [...ofLayer, fit, ...(kept.has(weight.name) ? [] : ofFit), weight, ...rounded]) {
    if (!kept.has(name)) kept.set(name, bytes)
    touch(kept, name)
  }
  for (const name of namesToDrop(kept)) kept.delete(name)
  return SMALL_BYTES + before + Math.max(whileFitting, whileQuantizing, whileMeasuring)
}

/** The bytes of a method step by step. */
interface Steps {
  /** W' and X' of all rows. */
  readonly fit: SharedBytes
  readonly weight: SharedBytes
  /** X̂ of every set of rows. */
  readonly rounded: readonly SharedBytes[]
  /** What is kept of the rows as they are, and of X'. */
  readonly ofLayer: readonly SharedBytes[]
  readonly ofFit: readonly SharedBytes[]
  /** What no other method takes over. */
  readonly fitting: number
  readonly working: number
  readonly measuring: number
}

/** null where the method's own checks refuse the layer. */
async function stepsOf(layer: PlannedLayer, { method, quantizers, identity }: PlannedWork): Promise<Steps | null> {
  const { weight, activation } = quantizers
  const { outDim, inDim, limitBytes, isSoftware } = layer
  const { options, seed } = identity
  const input: RotationInput = { config: { weight, activation }, options, headDim: layer.headDim }
  const size: MethodSize = { outDim, inDim, tokens: layer.calibrationTokens, limitBytes, isSoftware }
  try {
    const transform = await method.transform.memory(size, input)
    const mitigation = await method.mitigation.memory(size, input, transform)
    const name = await fitName(method.transform, input, seed)
    const under = (owner: string, entries: readonly SharedBytes[]) =>
      entries.map((entry) => ({ ...entry, name: nameUnder(owner, entry.name) }))
    const applied = rowSets(layer).reduce((sum, { rows }) => sum + transform.applied(rows), 0)
    const copies = activation ? roundedCopies(activation) + Number(transform.clips.activations) : 0
    const rounded = activation
      ? rowSets(layer).map(({ set, rows }) => ({
          name: roundedName(set, activation),
          bytes: copies * matrixClass(rows, inDim),
        }))
      : []
    const [ofWeight] = under(name, [{ name: weightName(method.mitigation, input, seed), bytes: mitigation.kept }])
    return {
      fit: { name, bytes: transform.kept + applied },
      weight: ofWeight,
      rounded: under(name, rounded),
      ofLayer: under(AS_LOADED, transform.shared),
      ofFit: under(name, mitigation.shared),
      ...{ fitting: transform.fitting, working: mitigation.working },
      measuring: measuring(layer, quantizers, { transform, mitigation }),
    }
  } catch (error) {
    if (error instanceof MxError) return null
    throw error
  }
}

interface Memories {
  readonly transform: TransformMemory
  readonly mitigation: MitigationMemory
}

/** As measure: Ŷ of every set of rows, sums of their errors, the profile, and the analysis of scales. */
function measuring(layer: PlannedLayer, quantizers: SettingQuantizers, { transform, mitigation }: Memories): number {
  const { outDim, inDim, evaluationTokens, scaleAnalysis } = layer
  const { weight, activation, output } = quantizers
  const { clips } = transform
  const ofRows = (rows: number) => {
    const y = matrixClass(rows, outDim)
    const branch = mitigation.rank > 0 ? matrixClass(rows, mitigation.rank) + 2 * y : 0
    const sums = sizeClass(outputSumsBytes({ rows, stride: strideOf(outDim) }))
    return y + branch + roundedCopies(output) * y + sums
  }
  const sets = rowSets(layer).reduce((total, { rows }) => total + ofRows(rows), 0)
  const operands = operandSums(activation, evaluationTokens, inDim) + operandSums(weight, outDim, inDim)
  const told = operands + profileBytes(evaluationTokens, inDim)
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
  const map = Math.min(rows, MAP_ROWS) * Math.min(cols, MAP_COLS)
  const moments = momentWords({ rows, cols })
  const packed = profileWords(rows, cols, rows)
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
