import blockRange from '../../../shaders/lib/block_range.wgsl?raw'
import f32Bits from '../../../shaders/lib/f32_bits.wgsl?raw'
import grids from '../../../shaders/lib/grids.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import { InputError } from '../../core/errors'
import type { Quantizer } from '../../formats/number-format'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel, Overrides } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { MX_LIBRARIES, mxGrid } from './grid-mx'
import type { ErrorKind, GridLibrary, GridPlan } from './grid-plan'
import { fp32Grid, integerGrid, nvfpGrid, REAL_LIBRARIES } from './grid-real'
import { SIXTEEN_BIT_LIBRARY, sixteenBitGrid } from './grid-sixteen-bit'

/** Every grid library; each kernel that quantizes is compiled with each of them. A new one is one line here. */
export const GRID_LIBRARIES: readonly GridLibrary[] = [...MX_LIBRARIES, ...REAL_LIBRARIES, SIXTEEN_BIT_LIBRARY]

/** Columns one invocation takes (shaders/lib/chunk.wgsl). */
export const CHUNK_COLS = 32

const ERROR_KINDS: readonly ErrorKind[] = ['mse', 'mae', 'max']

/** The grids of `quantizer`: its library and what that needs. */
export function gridFor(quantizer: Quantizer): GridPlan {
  switch (quantizer.family) {
    case 'mx':
      return quantizer.scaleRule === 'fp32' ? fp32Grid(quantizer) : mxGrid(quantizer)
    case 'nvfp':
      return nvfpGrid(quantizer)
    case 'integer':
      return integerGrid(quantizer)
    case 'sixteen-bit':
      return sixteenBitGrid(quantizer)
    default:
      return quantizer satisfies never
  }
}

/** The overrides of lib/grids.wgsl and of the plan's library. A block of a whole row is taken chunk by chunk. */
export function gridOverrides({ overrides, block }: GridPlan): Overrides {
  return { BLOCK: block === 'row' ? CHUNK_COLS : block, ...overrides }
}

/** Those, and the overrides of lib/chunk.wgsl. */
export function chunkOverrides(plan: GridPlan): Overrides {
  return {
    ...gridOverrides(plan),
    CANDIDATES: plan.candidates,
    // Only a scale with a zero point follows from both ends of a range.
    BOTH_SIDES: Number(plan.scaleBytes === 8),
    ERROR_KIND: ERROR_KINDS.indexOf(plan.errorKind),
  }
}

/**
 * `kernel` compiled with each grid library. Its first four uniform words are its own,
 * those of the plan follow.
 */
export function gridKernels(kernel: Kernel): readonly Kernel[] {
  return GRID_LIBRARIES.map((library) => ({
    ...kernel,
    variant: library.name,
    code: kernel.code + grids + blockRange + f32Bits + workgroupIndex + library.code,
  }))
}

/** The one of `gridKernels` that `plan` needs. */
export function kernelFor(kernels: readonly Kernel[], { library }: GridPlan): Kernel {
  const kernel = kernels.find(({ variant }) => variant === library.name)
  if (kernel) return kernel
  throw new InputError('BUG', `grid library: expected one of GRID_LIBRARIES, found "${library.name}".`)
}

/**
 * Whether the blocks of `plan` are rounded by four invocations of a subgroup each (shaders/lib/quarter.wgsl): where the
 * device is to, for blocks of at most a chunk with one candidate.
 */
export function takesQuarters({ gpu }: Recorder, { block, candidates }: GridPlan): boolean {
  return gpu.choices.block === 'subgroup' && candidates === 1 && (block === 'row' || block <= CHUNK_COLS)
}

/** What the plan's scales need beyond their blocks, or a word nobody reads. */
export function gridContext(recorder: Recorder, arena: Arena, matrix: GpuMatrix, plan: GridPlan): GPUBuffer {
  return plan.context?.(recorder, arena, matrix) ?? arena.buffer(4, 'no context')
}
