import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/output_error_sums.wgsl?raw'
import { InputError } from '../../core/errors'
import type { Arena } from '../arena'
import type { Gpu } from '../device'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { readFloats } from '../transfer'

const WORKGROUP_SIZE = 64
const GROUP = 8

/** A thread adds up eight groups of eight vec4s; beyond this many threads it takes more. */
const GROUPS_PER_THREAD = 8
const MAX_THREADS = 65_536

/** Numbers per thread: Σe², Σy², Σŷ², Σyŷ, max |e|, and the powers of two that e, y and ŷ were divided by. */
const QUANTITIES = 8

export const outputErrorSumsKernel: Kernel = {
  name: 'output_error_sums',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/** Per-thread sums still on the GPU: [8, threads] f32. */
export interface OutputErrorSums {
  readonly partials: GPUBuffer
  readonly threads: number
}

const threadsFor = ({ rows, stride }: Pick<GpuMatrix, 'rows' | 'stride'>) =>
  Math.min(MAX_THREADS, Math.ceil((rows * stride) / 4 / (GROUP * GROUPS_PER_THREAD)))

/** Bytes of the partial sums of an output. */
export const outputSumsBytes = (output: Pick<GpuMatrix, 'rows' | 'stride'>) => 4 * QUANTITIES * threadsFor(output)

/** Energies in the squared unit of the outputs, e = ŷ − y. */
export interface OutputEnergies {
  /** Σ (ŷ − y)² */
  readonly errorEnergy: number
  /** Σ y² */
  readonly referenceEnergy: number
  /** Σ ŷ² */
  readonly estimateEnergy: number
  /** Σ y ŷ */
  readonly inner: number
  /** max |ŷ − y| */
  readonly maxAbsolute: number
}

/**
 * Everything output metrics are made of, as partial sums that readOutputErrors or decodeOutputErrors finish.
 *
 * Shapes: reference y and estimate ŷ, both [rows, cols]. One dispatch, reading each operand once.
 * Accuracy: sums of squares to 1e-6 relative, `inner` to 1e-6 · √(Σy² Σŷ²), for any finite f32; subnormal ones may count
 * as zero. Throws InputError when the shapes differ.
 * Source: docs/metrics.md.
 */
export function outputErrorSums(
  recorder: Recorder,
  arena: Arena,
  reference: GpuMatrix,
  estimate: GpuMatrix,
): OutputErrorSums {
  if (reference.rows !== estimate.rows || reference.cols !== estimate.cols) {
    const shape = (m: GpuMatrix) => `${m.rows} x ${m.cols}`
    throw new InputError(
      'BUG',
      `output_error_sums: expected equal shapes, found ${shape(reference)}, ${shape(estimate)}`,
    )
  }
  const count = (reference.rows * reference.stride) / 4
  const threads = threadsFor(reference)
  const partials = arena.buffer(outputSumsBytes(reference), 'output_error_sums partials')
  recorder.dispatch(outputErrorSumsKernel, {
    uniforms: [count, threads, Math.ceil(count / (GROUP * threads))],
    buffers: [reference.buffer, estimate.buffer, partials],
    workgroups: Math.ceil(threads / WORKGROUP_SIZE),
  })
  return { partials, threads }
}

/** Finishes the sums in float64 from the contents of `partials`. */
export function decodeOutputErrors(partials: Float32Array, threads: number): OutputEnergies {
  const section = (q: number) => partials.subarray(q * threads, (q + 1) * threads)
  const [errorExponent, referenceExponent, estimateExponent] = [section(5), section(6), section(7)]
  // Σ aᵢ · 2^(p + q) is Σ of products of values that were divided by 2^p and 2^q.
  const sum = (q: number, left: Float32Array, right: Float32Array) =>
    section(q).reduce((total: number, x, i) => total + x * 2 ** (left[i] + right[i]), 0)
  return {
    errorEnergy: sum(0, errorExponent, errorExponent),
    referenceEnergy: sum(1, referenceExponent, referenceExponent),
    estimateEnergy: sum(2, estimateExponent, estimateExponent),
    inner: sum(3, referenceExponent, estimateExponent),
    maxAbsolute: section(4).reduce((largest, x, i) => Math.max(largest, x * 2 ** errorExponent[i]), 0),
  }
}

/** Waits for the submitted sums and finishes them; reads 32 bytes per 256 elements. */
export async function readOutputErrors(gpu: Gpu, sums: OutputErrorSums): Promise<OutputEnergies> {
  return decodeOutputErrors(await readFloats(gpu, sums.partials, QUANTITIES * sums.threads), sums.threads)
}
