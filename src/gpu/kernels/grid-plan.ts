import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Overrides } from '../pipeline-cache'
import type { Recorder } from '../recorder'

/**
 * A grid library: WGSL that knows one way of choosing a scale and of rounding to it. The four kernels that quantize
 * (fake_quantize, quantize, dequantize, operand_error_sums) know none; each is compiled once per library it is asked
 * for. A library is text without bindings that declares `struct Grid`, what one block is rounded to, and
 *
 *   fn grid_of(range: BlockRange, row: u32, candidate: u32) -> Grid
 *                                   from the extremes of a block (lib/block_range.wgsl); candidate 1 is asked for only
 *                                   where `candidates` is 2
 *   fn grid_of_stored(stored: vec2<u32>) -> Grid      the inverse of stored_scale, for scales read from memory
 *   fn stored_scale(grid: Grid) -> vec2<u32>          x: byte, or bits of the f32; y: zero point, with scaleBytes 8
 *   fn is_nan(grid: Grid) -> bool                     the block decodes to NaN as a whole
 *   fn is_rare(grid: Grid) -> bool                    NaN, or only the general functions are right; holds wherever a
 *                                   subnormal f32 may round to anything but zero
 *   fn rounded(bits: vec4<u32>, grid: Grid) -> vec4<u32>          f32 bits to f32 bits; not asked where is_rare
 *   fn rounded_general(bits: vec4<u32>, grid: Grid) -> vec4<u32>  the same for every grid; NaN bits where is_nan
 *   fn codes_of(bits: vec4<u32>, grid: Grid) -> vec4<u32>         raw codes of codeBits bits; not asked where is_rare
 *   fn codes_of_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> the same for every grid; anything where is_nan
 *   fn decoded(codes: vec4<u32>, grid: Grid) -> vec4<u32>         raw codes to f32 bits; not asked where is_rare
 *   fn decoded_general(codes: vec4<u32>, grid: Grid) -> vec4<u32> the same for every grid; NaN bits where is_nan
 *   fn is_clipped(bits: vec4<u32>, grid: Grid) -> vec4<bool>      magnitude above the largest code before rounding;
 *                                   false where is_nan
 *
 * The fast functions are called always and their result discarded where is_rare holds, so they must not loop forever
 * there; general functions are called from loops that are empty elsewhere (software adapters run both sides of an `if`).
 * is_rare is asked again after the fast functions: one that is unsure of a result may raise a private flag it reads.
 * Zero must round to zero and its code decode to zero under every grid that is not NaN: padding relies on it.
 * A library may read `params.table` (array<vec4<u32>, 4>: `words`, see GridPlan) and `context` (array<u32>), which all
 * four kernels declare, and lib/block_range.wgsl (BlockRange, largest_of) and lib/f32_bits.wgsl (NAN_BITS, assemble_f32).
 */
export interface GridLibrary {
  readonly name: string
  readonly code: string
}

/** Which of two grids a block keeps: the one with the smaller sum of squares, of magnitudes, or largest difference. */
export type ErrorKind = 'mse' | 'mae' | 'max'

/** How one quantizer uses its library. */
export interface GridPlan {
  readonly library: GridLibrary
  /** Of the library; the kernels add their own. */
  readonly overrides: Overrides
  /** At most 16 words, read by the library as params.table[i / 4][i % 4]: numbers that vary without a new pipeline. */
  readonly words: readonly number[]
  /** Columns that share a scale: 8, 16, 32, 64, 128, or 'row' where the scale follows from `context` and not the range. */
  readonly block: number | 'row'
  /** Bits of a code in memory. */
  readonly codeBits: 4 | 8 | 16
  /** Bytes of a stored scale: none, a byte, an f32, an f32 and a zero point (u32). */
  readonly scaleBytes: 0 | 1 | 4 | 8
  /** Grids tried per block, and the error that decides between two: the second one wins if it is strictly smaller. */
  readonly candidates: 1 | 2
  readonly errorKind: ErrorKind
  /** Records what a scale needs beyond its block (for a tensor or its rows); null: nothing. Kept by packed matrices. */
  readonly context: ((recorder: Recorder, arena: Arena, matrix: GpuMatrix) => GPUBuffer) | null
}
