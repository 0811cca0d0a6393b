import type { Matrix } from '../../core/matrix'
import type { Gpu } from '../../gpu/device'
import { matmulNt } from '../../gpu/kernels/matmul-nt'
import { readMatrix } from '../../gpu/transfer'
import type { LearningProblem } from '../../methods/training/learner'
import { checkSamples, expectedSum } from './checks'
import type { BenchCase } from './entry'
import { kernelSubject } from './kernel-subject'

/** X Wᵀ of a layer: its rate is what the operations of cost models are priced at. */
export function layerProductCase(
  gpu: Gpu,
  { calibration, weight: w }: Pick<LearningProblem, 'calibration' | 'weight'>,
  { weight, x }: { weight: Matrix; x: Matrix },
): BenchCase {
  const work = { kind: 'operations', operations: 2 * x.rows * weight.rows * weight.cols } as const
  const n = weight.cols
  const term = (row: number, col: number) => (k: number) => x.data[row * n + k] * weight.data[col * n + k]
  return {
    work,
    baseline: 'product',
    subject: kernelSubject(gpu, {
      name: 'layer product',
      work,
      record(recorder, scratch) {
        const y = matmulNt(recorder, scratch, calibration, w)
        return async () => checkSamples(await readMatrix(gpu, y), (row, col) => expectedSum(n, term(row, col)))
      },
    }),
  }
}
