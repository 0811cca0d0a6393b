import { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { absoluteSums, decodeAbsoluteSums } from '../../gpu/kernels/absolute-sums'
import type { BlockWidth } from '../../gpu/kernels/block-layout'
import { blockShares } from '../../gpu/kernels/block-shares'
import { channelStats } from '../../gpu/kernels/channel-stats'
import { Recorder } from '../../gpu/recorder'
import { readMatrix } from '../../gpu/transfer'

/** Largest magnitude per column, [cols], exact; one read-back of a few rows. */
export async function columnMaxima(gpu: Gpu, matrix: GpuMatrix): Promise<Float64Array> {
  return withArena(gpu, async (arena, recorder) => {
    const { maxima } = channelStats(recorder, arena, matrix)
    recorder.submit()
    const slabs = await readMatrix(gpu, maxima)
    const largest = new Float64Array(matrix.cols)
    slabs.data.forEach((value, i) => {
      largest[i % matrix.cols] = Math.max(largest[i % matrix.cols], value)
    })
    return largest
  })
}

/** Mean magnitude per column, [cols]; sums of 64 rows in f32, the rest in float64. */
export async function columnMeans(gpu: Gpu, matrix: GpuMatrix): Promise<Float64Array> {
  return withArena(gpu, (arena, recorder) => meansOf(recorder, arena, matrix))
}

/** Mean over the rows of |x| as a share of the largest magnitude in its block, per column, [cols]. */
export async function columnShares(gpu: Gpu, matrix: GpuMatrix, width: BlockWidth): Promise<Float64Array> {
  return withArena(gpu, (arena, recorder) => {
    return meansOf(recorder, arena, blockShares(recorder, arena, matrix, width))
  })
}

async function meansOf(recorder: Recorder, arena: Arena, matrix: GpuMatrix): Promise<Float64Array> {
  const sums = absoluteSums(recorder, arena, matrix)
  recorder.submit()
  const { data } = await readMatrix(recorder.gpu, sums)
  return decodeAbsoluteSums(data, { ...matrix, stride: matrix.cols })
}

async function withArena<Result>(
  gpu: Gpu,
  body: (arena: Arena, recorder: Recorder) => Promise<Result>,
): Promise<Result> {
  const arena = new Arena(gpu)
  try {
    return await body(arena, new Recorder(gpu))
  } finally {
    arena.release()
  }
}
