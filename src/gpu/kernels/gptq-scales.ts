/** Scales without codes: what GPTQ rounds to, block by block. */
import observerSource from '../../../shaders/gptq_observer.wgsl?raw'
import scalesSource from '../../../shaders/gptq_scales.wgsl?raw'
import searchSource from '../../../shaders/gptq_search.wgsl?raw'
import chunk from '../../../shaders/lib/chunk.wgsl?raw'
import gptqBlock from '../../../shaders/lib/gptq_block.wgsl?raw'
import type { MxQuantizer, Quantizer } from '../../formats/number-format'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Recorder } from '../recorder'
import { CHUNK_COLS, chunkOverrides, gridContext, gridFor, gridKernels, gridOverrides, kernelFor } from './grid'
import { mxGrid } from './grid-mx'
import type { GridPlan } from './grid-plan'
import { rowsPerDispatch } from './row-chunks'

const WORKGROUP_SIZE = 64
const STORED_BYTES = 8
/** Operations per element of the observer: 100 candidates, each rounded and taken to the power 2.4. */
const OBSERVER_OPERATIONS = 6000

export const gptqScalesKernels = gridKernels({
  name: 'gptq_scales',
  code: scalesSource + chunk,
  bindings: ['read', 'read', 'write'],
})

export const gptqSearchKernels = gridKernels({
  name: 'gptq_search',
  code: searchSource + gptqBlock,
  bindings: ['read', 'read', 'write'],
})

export const gptqObserverKernels = gridKernels({
  name: 'gptq_observer',
  code: observerSource + gptqBlock,
  bindings: ['read', 'read', 'write'],
})

/** The scale of every block of a matrix as its grid library stores it: [rows, blocks] pairs of words. */
export interface BlockScales {
  readonly plan: GridPlan
  readonly stored: GPUBuffer
  /** Blocks per row; 1 where a row has one scale. */
  readonly blocks: number
  /** What the scales need beyond themselves, from the matrix they were made for. */
  readonly context: GPUBuffer
}

/** Scales for `matrix` under `quantizer`, not filled in but for their context. A literal pre-scale is the caller's. */
export function beginScales(recorder: Recorder, arena: Arena, matrix: GpuMatrix, quantizer: Quantizer): BlockScales {
  const plan = gridFor(quantizer)
  const blocks = plan.block === 'row' ? 1 : Math.ceil(matrix.stride / plan.block)
  const stored = arena.buffer(STORED_BYTES * matrix.rows * blocks, 'block scales')
  return { plan, stored, blocks, context: gridContext(recorder, arena, matrix, plan) }
}

/** Columns that are multiples of 32; the end may lie beyond the last one. */
export interface ColumnRange {
  readonly first: number
  readonly end: number
}

/**
 * The scales that the quantizer gives to the blocks beginning in these columns of `matrix`, all rows; exactly those that
 * `quantize` stores.
 */
export function updateScales(
  recorder: Recorder,
  matrix: GpuMatrix,
  { plan, stored, blocks, context }: BlockScales,
  { first, end }: ColumnRange,
): void {
  const chunks = (Math.min(end, matrix.stride) - first) / CHUNK_COLS
  recorder.dispatch(kernelFor(gptqScalesKernels, plan), {
    overrides: { ...chunkOverrides(plan), ROW_SCALES: Number(plan.block === 'row') },
    uniforms: [matrix.rows, matrix.stride, first / CHUNK_COLS, chunks, blocks, 0, 0, 0, ...plan.words],
    buffers: [matrix.buffer, context, stored],
    workgroups: Math.ceil((matrix.rows * chunks) / WORKGROUP_SIZE),
  })
}

/** Whether a scale has an exponent to choose: E8M0. */
export function hasExponents(quantizer: Quantizer): quantizer is MxQuantizer {
  return quantizer.family === 'mx' && quantizer.scaleRule !== 'fp32'
}

/**
 * For E8M0 scales, of every block of `matrix` the best of the exponents e − 2 … e + 1 by the sum of squared errors, e being
 * that of the scale rule; ties to the smaller change, then to the lower one. Accuracy: sums in f32, two candidates that
 * agree to a few units of 2^-22 may compare either way. Blocks below 2^-63 and above 2^113 keep e.
 */
export function searchScales(
  recorder: Recorder,
  matrix: GpuMatrix,
  { plan, stored, blocks, context }: BlockScales,
): void {
  recorder.dispatch(kernelFor(gptqSearchKernels, plan), {
    overrides: gridOverrides(plan),
    uniforms: [matrix.rows, matrix.stride / 4, blocks, 0, ...plan.words],
    buffers: [matrix.buffer, context, stored],
    workgroups: Math.ceil((matrix.rows * blocks) / WORKGROUP_SIZE),
  })
}

/**
 * For E8M0 scales, those of the observer of MR-GPTQ (arXiv 2509.23202, IST-DASLab/FP-Quant): the maximum of a block is
 * shrunk by 1 − 0.8 i / 100 to where a real-valued scale has the smallest sum of |error|^2.4, then the scale rule takes its
 * exponent. A pre-scale has no part in it. Accuracy: sums in f32, candidates a few units of 2^-20 apart may compare either
 * way. Blocks below 2^-63 and above 2^113 are not shrunk. Large matrices take several dispatches, by rows.
 */
export function observeScales(
  recorder: Recorder,
  matrix: GpuMatrix,
  { stored, blocks, context }: BlockScales,
  quantizer: MxQuantizer,
): void {
  const plan = mxGrid({ ...quantizer, preScale: null })
  const { maxFinite } = quantizer.format.element
  const step = rowsPerDispatch(recorder.gpu, matrix.rows, OBSERVER_OPERATIONS * matrix.stride)
  for (let begin = 0; begin < matrix.rows; begin += step) {
    const end = Math.min(matrix.rows, begin + step)
    recorder.dispatch(kernelFor(gptqObserverKernels, plan), {
      overrides: { ...gridOverrides(plan), LARGEST: maxFinite },
      uniforms: [begin, end, matrix.stride / 4, blocks, ...plan.words],
      buffers: [matrix.buffer, context, stored],
      workgroups: Math.ceil(((end - begin) * blocks) / WORKGROUP_SIZE),
    })
  }
}
