import { InputError } from '../../core/errors'
import { drawOrthogonal } from '../../core/linear-algebra'
import { createRandom } from '../../core/random'
import { kroneckerRight } from '../../gpu/kernels/kronecker'
import { matmulNn } from '../../gpu/kernels/matmul-nn'
import { uploadMatrix, uploadWords } from '../../gpu/transfer'
import type { Context } from '../method'
import { blockMatrixStep, matrixStep } from '../online'
import type { Rotation } from './rotation'

/** Widest matrix that is drawn: its QR takes order³ operations in float64 on one core. */
const LARGEST_ORDER = 2048

/** Keeps the matrix independent of what else is drawn from the same seed. */
const ORTHOGONAL_STREAM = 0x6f727468

const STAGE = 'random orthogonal matrix'

/** BF16 */
const ENTRY_BYTES = 2

/**
 * I ⊗ Q with a uniformly distributed orthogonal Q [size, size] drawn from the context's seed, the same in every block of
 * `size` channels; one block is a rotation of all of them. Throws InputError MD-01 above 2048.
 */
export async function orthogonalBlocks(
  channels: number,
  size: number,
  { gpu, arena, seed, signal, onProgress }: Context,
): Promise<Rotation> {
  if (size > LARGEST_ORDER) {
    throw new InputError(
      'MD-01',
      `random orthogonal matrix: expected at most ${LARGEST_ORDER} channels, found ${size}. Choose a Hadamard matrix ` +
        'or a rotation in blocks.',
    )
  }
  const { data } = await drawOrthogonal(size, createRandom(seed ^ ORTHOGONAL_STREAM), {
    signal,
    onColumns: (done, total) => onProgress({ stage: STAGE, done, total }),
  })
  const entries = Float32Array.from(data)
  const blocks = channels / size
  const costs = { onlineOperations: channels * size, onlineBytes: ENTRY_BYTES * size * size }
  if (blocks === 1) {
    const q = uploadMatrix(gpu, arena, { rows: size, cols: size, data: entries }, 'random orthogonal matrix')
    return {
      rotate: (recorder, owner, matrix) => matmulNn(recorder, owner, matrix, q),
      online: matrixStep(channels, async () => entries),
      notes: [`Random orthogonal matrix of order ${size} from seed ${seed}.`],
      ...costs,
    }
  }
  const factor = uploadWords(gpu, arena, entries, 'random orthogonal matrix')
  const shape = { a: blocks, b: size, factor, transposed: false }
  return {
    rotate: (recorder, owner, matrix) => kroneckerRight(recorder, owner, matrix, shape),
    online: blockMatrixStep(channels, size, entries),
    notes: [`Random orthogonal matrix of order ${size} from seed ${seed}, the same in each of ${blocks} blocks.`],
    ...costs,
  }
}
