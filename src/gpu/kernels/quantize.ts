import chunk from '../../../shaders/lib/chunk.wgsl?raw'
import codeWords from '../../../shaders/lib/code_words.wgsl?raw'
import quarter from '../../../shaders/lib/quarter.wgsl?raw'
import quantizeSource from '../../../shaders/quantize.wgsl?raw'
import subgroupSource from '../../../shaders/quantize_subgroup.wgsl?raw'
import type { Quantizer } from '../../formats/number-format'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Recorder } from '../recorder'
import type { BlockScales } from './gptq-scales'
import { CHUNK_COLS, chunkOverrides, gridContext, gridFor, gridKernels, kernelFor, takesQuarters } from './grid'
import type { GridPlan } from './grid-plan'
import { type PackedMatrix, packedStrides } from './packed-matrix'
import { literalFactor, preMultiply } from './pre-scale'

const WORKGROUP_SIZE = 64
const BYTES_PER_WORD = 4

export const quantizeKernels = gridKernels({
  name: 'quantize',
  code: quantizeSource + chunk + codeWords,
  bindings: ['read', 'read', 'read', 'read', 'write', 'write'],
})

/** Four invocations per chunk; needs the feature `subgroups`. */
export const quantizeSubgroupKernels = gridKernels({
  name: 'quantize_subgroup',
  code: subgroupSource + chunk + quarter + codeWords,
  bindings: ['read', 'read', 'write', 'write'],
})

/** Chunks that share a word of scale bytes; other scales fill words of their own. */
function chunksPerWord({ block, scaleBytes }: GridPlan): number {
  return scaleBytes === 1 && block !== 'row' ? (BYTES_PER_WORD * block) / CHUNK_COLS : 1
}

/**
 * `matrix` as codes and scales of `quantizer`; `dequantize` of it is `fakeQuantize` of `matrix`, bit for bit.
 *
 * Shapes: [rows, cols] -> codes [rows, codeStride], scales [rows, scaleStride] (packed-matrix.ts).
 * Accuracy: exact. Non-finite: codes 0 for the whole block, under a scale that stands for NaN; 16-bit floats have codes
 * for infinity and NaN.
 * Source: docs/formats.md; per family the sources named in src/formats/.
 */
export function quantize(recorder: Recorder, arena: Arena, matrix: GpuMatrix, quantizer: Quantizer): PackedMatrix {
  const factor = literalFactor(quantizer)
  const source = factor === null ? matrix : preMultiply(recorder, arena, matrix, factor)
  return pack(recorder, arena, source, { quantizer, given: null })
}

/** Scales that blocks have got already. */
export interface GivenScales {
  readonly scales: BlockScales
  /** Where in `scales` the scale of each block of a row is: one word per block. */
  readonly blocks: GPUBuffer
}

/**
 * `matrix` as codes under `given` scales instead of those its own blocks would have: what GPTQ has rounded keeps the
 * scales it was rounded to. With a literal pre-scale `matrix` is the multiplied one. Shapes and accuracy: as `quantize`.
 */
export function quantizeUnder(
  recorder: Recorder,
  arena: Arena,
  matrix: GpuMatrix,
  { quantizer, given }: { readonly quantizer: Quantizer; readonly given: GivenScales },
): PackedMatrix {
  return pack(recorder, arena, matrix, { quantizer, given })
}

function pack(
  recorder: Recorder,
  arena: Arena,
  source: GpuMatrix,
  { quantizer, given }: { readonly quantizer: Quantizer; readonly given: GivenScales | null },
): PackedMatrix {
  const { rows, cols, stride } = source
  const { id } = quantizer.format
  const plan = gridFor(quantizer)
  const { codeStride, scaleStride } = packedStrides(stride, quantizer)
  const codes = arena.buffer(rows * codeStride, `${id} codes`)
  const scales = arena.buffer(rows * scaleStride, `${id} scales`)
  const context = given?.scales.context ?? gridContext(recorder, arena, source, plan)
  const chunks = chunksPerWord(plan)
  const inQuarters = given === null && takesQuarters(recorder, plan)
  const invocations = rows * Math.ceil(stride / CHUNK_COLS / chunks) * (inQuarters ? 4 : 1)
  const overrides = {
    ...chunkOverrides(plan),
    CODE_BITS: plan.codeBits,
    SCALE_BYTES: plan.scaleBytes,
    CHUNKS: chunks,
    ROW_SCALES: Number(plan.block === 'row'),
  }
  // Without given scales nothing reads what stands in their place.
  const givenBuffers = [given?.scales.stored ?? source.buffer, given?.blocks ?? source.buffer]
  recorder.dispatch(kernelFor(inQuarters ? quantizeSubgroupKernels : quantizeKernels, plan), {
    overrides: inQuarters ? overrides : { ...overrides, GIVEN: Number(given !== null) },
    uniforms: [rows, stride, scaleStride / BYTES_PER_WORD, given?.scales.blocks ?? 0, ...plan.words],
    buffers: [source.buffer, context, ...(inQuarters ? [] : givenBuffers), codes, scales],
    workgroups: Math.ceil(invocations / WORKGROUP_SIZE),
  })
  return { rows, cols, quantizer, codes, scales, context, codeStride, scaleStride }
}
