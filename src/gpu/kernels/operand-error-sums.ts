import chunk from '../../../shaders/lib/chunk.wgsl?raw'
import magnitudeRange from '../../../shaders/lib/magnitude_range.wgsl?raw'
import operandErrorSource from '../../../shaders/operand_error_sums.wgsl?raw'
import type { Quantizer } from '../../formats/number-format'
import type { Arena } from '../arena'
import type { Gpu } from '../device'
import type { GpuMatrix } from '../gpu-matrix'
import type { Recorder } from '../recorder'
import { readBuffer } from '../transfer'
import { CHUNK_COLS, chunkOverrides, gridContext, gridFor, gridKernels, kernelFor } from './grid'
import { magnitudeMax, rangeExponent } from './magnitude-max'
import { literalFactor, preMultiply } from './pre-scale'

const WORKGROUP_SIZE = 64
/** Keeps the read-back at 128 KiB however large the matrix is. */
const MAX_INVOCATIONS = 8192
const PARTIAL_WORDS = 4

export const operandErrorSumsKernels = gridKernels({
  name: 'operand_error_sums',
  code: operandErrorSource + chunk + magnitudeRange,
  bindings: ['read', 'read', 'read', 'read', 'write'],
})

/** Partial sums on the GPU; `readOperandErrors` turns them into numbers. */
export interface OperandErrorSums {
  /**
   * [partialCount, 4] words: Σx² and Σ(x̂ − x)² as f32, clipped and flushed as u32. One word more holds the bits of
   * max |x|, from which the unit of the sums follows.
   */
  readonly partials: GPUBuffer
  /** The partials whose clipped count holds: of the multiplied matrix under a literal pre-scale, else the same. */
  readonly clipping: GPUBuffer
  readonly partialCount: number
  /** Elements of the matrix, padding not counted. */
  readonly count: number
}

const partialsFor = ({ rows, stride }: Pick<GpuMatrix, 'rows' | 'stride'>) =>
  Math.min((rows * stride) / CHUNK_COLS, MAX_INVOCATIONS)

/** Bytes of the partial sums of an operand. */
export const operandSumsBytes = (operand: Pick<GpuMatrix, 'rows' | 'stride'>) =>
  4 * (PARTIAL_WORDS * partialsFor(operand) + 1)

/** What rounding did to one operand. Energies are in the squared unit of the operand. */
export interface OperandErrorTotals {
  /** Σ x² */
  readonly signalEnergy: number
  /** Σ (x̂ − x)² */
  readonly noiseEnergy: number
  /** Elements whose magnitude was above the largest code (times its block's scale) before rounding. */
  readonly clipped: number
  /** Non-zero elements that became zero. */
  readonly flushed: number
  /** Elements counted, rows · cols. */
  readonly count: number
}

/**
 * Starts the sums of `original` against `quantized`, which is fakeQuantize(original, quantizer).
 *
 * Shapes: both [rows, cols]. Accuracy: sums of squares in f32 within a partial, f64 across partials; counts exact.
 * Sums are taken in units of the range of `original` (lib/magnitude_range.wgsl), so energies are right for tensors of
 * any size, subnormal ones included; elements below 2^-63 of the maximum may be lost. Non-finite elements make the
 * energies non-finite.
 */
export function operandErrorSums(
  recorder: Recorder,
  arena: Arena,
  original: GpuMatrix,
  quantized: GpuMatrix,
  quantizer: Quantizer,
): OperandErrorSums {
  const { rows, cols, stride } = original
  const plan = gridFor(quantizer)
  const partialCount = partialsFor(original)
  const maximum = magnitudeMax(recorder, arena, original)
  const sumsOf = (source: GpuMatrix) => {
    const partials = arena.buffer(operandSumsBytes(original), 'operand error sums')
    recorder.dispatch(kernelFor(operandErrorSumsKernels, plan), {
      overrides: chunkOverrides(plan),
      uniforms: [rows, stride, partialCount, 0, ...plan.words],
      buffers: [source.buffer, quantized.buffer, maximum, gridContext(recorder, arena, source, plan), partials],
      workgroups: Math.ceil(partialCount / WORKGROUP_SIZE),
    })
    recorder.copy(maximum, partials, 4, { to: 4 * PARTIAL_WORDS * partialCount })
    return partials
  }
  const partials = sumsOf(original)
  const factor = literalFactor(quantizer)
  const clipping = factor === null ? partials : sumsOf(preMultiply(recorder, arena, original, factor))
  return { partials, clipping, partialCount, count: rows * cols }
}

/** Reads the partial sums back, once their submit is on its way, and adds them in float64. */
export async function readOperandErrors(gpu: Gpu, sums: OperandErrorSums): Promise<OperandErrorTotals> {
  const words = PARTIAL_WORDS * sums.partialCount
  const byteLength = 4 * (words + 1)
  const bytes = await readBuffer(gpu, sums.partials, byteLength)
  const energies = new Float32Array(bytes)
  const counts = new Uint32Array(bytes)
  const clipping =
    sums.clipping === sums.partials ? counts : new Uint32Array(await readBuffer(gpu, sums.clipping, byteLength))
  const totals = { signalEnergy: 0, noiseEnergy: 0, clipped: 0, flushed: 0, count: sums.count }
  // lib/magnitude_range.wgsl, and the kernel's own limit.
  const energyUnit = 2 ** (2 * (Math.min(rangeExponent(counts[words]), 252) - 126))
  for (let at = 0; at < words; at += PARTIAL_WORDS) {
    totals.signalEnergy += energies[at] * energyUnit
    totals.noiseEnergy += energies[at + 1] * energyUnit
    totals.clipped += clipping[at + 2]
    totals.flushed += counts[at + 3]
  }
  return totals
}
