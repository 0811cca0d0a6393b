import mxElement from '../../../shaders/lib/mx_element.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import operandErrorSource from '../../../shaders/operand_error_sums.wgsl?raw'
import type { Quantizer } from '../../formats/number-format'
import type { Arena } from '../arena'
import type { Gpu } from '../device'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { readBuffer } from '../transfer'
import { mxOverrides } from './mx-overrides'

const WORKGROUP_SIZE = 64
/** Keeps the read-back at 128 KiB however large the matrix is. */
const MAX_INVOCATIONS = 8192
const PARTIAL_WORDS = 4

export const operandErrorSumsKernel: Kernel = {
  name: 'operand_error_sums',
  code: operandErrorSource + mxElement + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/** Partial sums on the GPU; `readOperandErrors` turns them into numbers. */
export interface OperandErrorSums {
  /** [partialCount, 4] words: Σx² and Σ(x̂ − x)² as f32, clipped and flushed as u32. */
  readonly partials: GPUBuffer
  readonly partialCount: number
  /** Elements of the matrix, padding not counted. */
  readonly count: number
}

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
 * Squares below 2^-126 may be lost and above 2^128 become infinite; non-finite elements make the energies non-finite.
 */
export function operandErrorSums(
  recorder: Recorder,
  arena: Arena,
  original: GpuMatrix,
  quantized: GpuMatrix,
  quantizer: Quantizer,
): OperandErrorSums {
  const { rows, cols, stride } = original
  const { blockSize } = quantizer.format
  const blocksPerRow = Math.ceil(stride / blockSize)
  const partialCount = Math.min(rows * blocksPerRow, MAX_INVOCATIONS)
  const partials = arena.buffer(4 * PARTIAL_WORDS * partialCount, 'operand error sums')
  recorder.dispatch(operandErrorSumsKernel, {
    overrides: { BLOCK: blockSize, ...mxOverrides(quantizer) },
    uniforms: [rows, stride, blocksPerRow, partialCount],
    buffers: [original.buffer, quantized.buffer, partials],
    workgroups: Math.ceil(partialCount / WORKGROUP_SIZE),
  })
  return { partials, partialCount, count: rows * cols }
}

/** Reads the partial sums back, once their submit is on its way, and adds them in float64. */
export async function readOperandErrors(gpu: Gpu, sums: OperandErrorSums): Promise<OperandErrorTotals> {
  const bytes = await readBuffer(gpu, sums.partials, 4 * PARTIAL_WORDS * sums.partialCount)
  const energies = new Float32Array(bytes)
  const counts = new Uint32Array(bytes)
  const totals = { signalEnergy: 0, noiseEnergy: 0, clipped: 0, flushed: 0, count: sums.count }
  for (let at = 0; at < counts.length; at += PARTIAL_WORDS) {
    totals.signalEnergy += energies[at]
    totals.noiseEnergy += energies[at + 1]
    totals.clipped += counts[at + 2]
    totals.flushed += counts[at + 3]
  }
  return totals
}
