/** The kernels of which an adapter has a choice, made ready to be timed against one another. */
import type { Matrix } from '../../core/matrix'
import { createRandom, type Random } from '../../core/random'
import { chooseFormat } from '../../formats/format-text'
import { mxfp4 } from '../../formats/mxfp4'
import { makeQuantizer, STANDARD_MX } from '../../formats/quantizer'
import { Arena } from '../arena'
import type { Gpu } from '../device'
import { withErrorScopes } from '../error-scope'
import type { GpuMatrix } from '../gpu-matrix'
import {
  BLOCK_OWNERS,
  type BlockOwner,
  PACKED_WAYS,
  type PackedWay,
  PLAIN_CHOICES,
  PRODUCT_TILES,
  type ProductTile,
} from '../kernel-choices'
import { fakeQuantize } from '../kernels/fake-quantize'
import { matmulNt } from '../kernels/matmul-nt'
import { canMultiply, packedProduct } from '../kernels/packed-product'
import { quantize } from '../kernels/quantize'
import { Recorder } from '../recorder'
import { readMatrix, uploadMatrix } from '../transfer'
import type { Candidate, Contest } from './pick'

/** Operands are this square, and twice this where they are rounded: enough to fill a GPU, and 0.3 ms at 1 TFLOP/s. */
const SIZE = 512
const SAMPLES = 64
/** Of a rounded matrix, whose every element must be that of the plain kernel. */
const ROUNDED_SAMPLES = 4096
const SEED = 1

/** Rounding to MXFP4 moves no magnitude by more than a quarter of it, so no product by more than a factor of 1.6. */
const ROUNDED_FACTOR = 1.6

const QUANTIZER = makeQuantizer(chooseFormat(mxfp4), STANDARD_MX)

/** A product or a rounded matrix, as one choice computes it. */
type Compute = (recorder: Recorder, arena: Arena) => GpuMatrix

interface Operand {
  readonly matrix: Matrix
  readonly onGpu: GpuMatrix
}

function operand(gpu: Gpu, arena: Arena, { random, size }: { random: Random; size: number }): Operand {
  const data = Float32Array.from({ length: size * size }, () => random.uniform() - 0.5)
  const matrix = { rows: size, cols: size, data }
  return { matrix, onGpu: uploadMatrix(gpu, arena, matrix, 'tuning operand') }
}

/** Runs `compute` on buffers of its own; what the device reports meanwhile is thrown. */
function candidate<T>(gpu: Gpu, places: readonly number[], choice: T, compute: Compute): Candidate<T> {
  const { signal } = new AbortController()
  const scoped = async <R>(work: (arena: Arena) => Promise<R>): Promise<R> => {
    const arena = new Arena(gpu)
    try {
      return await withErrorScopes(gpu, signal, () => work(arena))
    } finally {
      arena.release()
    }
  }
  return {
    choice,
    run: (repetitions) =>
      scoped(async (arena) => {
        const recorder = new Recorder(gpu)
        for (let i = 0; i < repetitions; i++) {
          compute(recorder, arena)
          // The next repetition writes the same buffers: the queue keeps the order.
          arena.release()
        }
        recorder.submit()
        await gpu.device.queue.onSubmittedWorkDone()
      }),
    sample: () =>
      scoped(async (arena) => {
        const recorder = new Recorder(gpu)
        const y = compute(recorder, arena)
        recorder.submit()
        const { data } = await readMatrix(gpu, y)
        return Float32Array.from(places, (place) => data[place])
      }),
  }
}

/** Twice the error bound of an f32 sum in any order: how far two right products may be apart at `places`. */
function boundsAt(places: readonly number[], a: Matrix, b: Matrix): number[] {
  return places.map((place) => {
    const size = a.cols
    const [row, col] = [Math.floor(place / size), place % size]
    let magnitude = 0
    for (let k = 0; k < size; k++) magnitude += Math.abs(a.data[row * size + k] * b.data[col * size + k])
    return 2 * (size + 2) * 2 ** -23 * magnitude
  })
}

export interface Contests {
  readonly product: Contest<ProductTile>
  /** null where the adapter has no choice. */
  readonly block: Contest<BlockOwner> | null
  readonly packed: Contest<PackedWay> | null
}

/** Rounding by each owner of a block, on an operand of its own. */
function blockContest(gpu: Gpu, arena: Arena, source: { random: Random; size: number }): Contest<BlockOwner> {
  const { onGpu } = operand(gpu, arena, source)
  const places = Array.from({ length: ROUNDED_SAMPLES }, () => source.random.uint32() % source.size ** 2)
  const candidateOf = (block: BlockOwner) =>
    candidate({ ...gpu, choices: { ...gpu.choices, block } }, places, block, (recorder, scratch) =>
      fakeQuantize(recorder, scratch, onGpu, QUANTIZER),
    )
  return {
    plain: candidateOf(PLAIN_CHOICES.block),
    others: BLOCK_OWNERS.filter((owner) => owner !== PLAIN_CHOICES.block).map(candidateOf),
    bounds: places.map(() => 0),
  }
}

/** Uploads operands into `arena`, where they stay while the contests are held. */
export function contestsOn(gpu: Gpu, arena: Arena, size = SIZE): Contests {
  const random = createRandom(SEED)
  const [a, b] = [operand(gpu, arena, { random, size }), operand(gpu, arena, { random, size })]
  const places = Array.from({ length: SAMPLES }, () => random.uint32() % (size * size))
  const bounds = boundsAt(places, a.matrix, b.matrix)
  const contest = <T extends string>(plain: T, all: readonly T[], compute: (choice: T) => Compute): Contest<T> => {
    const candidateOf = (choice: T) => candidate(gpu, places, choice, compute(choice))
    return { plain: candidateOf(plain), others: all.filter((one) => one !== plain).map(candidateOf), bounds }
  }
  const product = contest(PLAIN_CHOICES.product, PRODUCT_TILES, (tile) => (recorder, scratch) => {
    return matmulNt(recorder, scratch, a.onGpu, b.onGpu, tile)
  })

  const block = gpu.device.features.has('subgroups') ? blockContest(gpu, arena, { random, size: 2 * size }) : null
  const setup = new Recorder(gpu)
  const [x, w] = [quantize(setup, arena, a.onGpu, QUANTIZER), quantize(setup, arena, b.onGpu, QUANTIZER)]
  setup.submit()
  if (!canMultiply('integer-dot', gpu, x, w)) return { product, block, packed: null }
  const packed = contest(PLAIN_CHOICES.packed, PACKED_WAYS, (way) => (recorder, scratch) => {
    return packedProduct(recorder, scratch, x, w, way)
  })
  return { product, block, packed: { ...packed, bounds: bounds.map((bound) => ROUNDED_FACTOR * bound) } }
}
