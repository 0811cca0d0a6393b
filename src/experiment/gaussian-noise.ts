import { type Matrix, zeros } from '../core/matrix'
import { createRandom } from '../core/random'
import type { Quantizer } from '../formats/number-format'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import { fakeQuantize } from '../gpu/kernels/fake-quantize'
import { operandErrorSums, readOperandErrors } from '../gpu/kernels/operand-error-sums'
import { Recorder } from '../gpu/recorder'
import { uploadMatrix } from '../gpu/transfer'

/** Elements: κ of MXFP4 then scatters by a third of a percent. */
const ELEMENTS = 2 ** 18
const MIN_ROWS = 16
const SEED = 0

/**
 * Gaussian rows with standard deviations s from 1 to 2, an octave, as those of different tokens differ; there are as many
 * of each as 1 / s² says, so that every part of the octave has the same share of the energy.
 */
function gaussianRows(inDim: number): Matrix {
  const rows = Math.max(MIN_ROWS, Math.ceil(ELEMENTS / inDim))
  const random = createRandom(SEED)
  const matrix = zeros(rows, inDim)
  for (let row = 0; row < rows; row++) {
    const deviation = 1 / Math.sqrt(1 - (0.75 * (row + 0.5)) / rows)
    for (let col = 0; col < inDim; col++) matrix.data[row * inDim + col] = deviation * random.normal()
  }
  return matrix
}

/**
 * κ of each of `quantizers`: Σ(x̂ − x)² / Σx² of Gaussian rows of `inDim` channels, what a global rotation makes of nearly
 * any tensor. Measured on the GPU with a fixed seed; 0 for null, an operand left as loaded. It depends on the width where a
 * scale holds for a whole row: about 0.0134 for MXFP4, 0.00089 for MXFP8 at any width.
 */
export async function gaussianNoise(
  gpu: Gpu,
  quantizers: readonly (Quantizer | null)[],
  inDim: number,
): Promise<number[]> {
  // Both operands often have one format: it is measured once.
  const keyOf = (quantizer: Quantizer | null) => JSON.stringify(quantizer)
  const distinct = new Map(quantizers.map((quantizer) => [keyOf(quantizer), quantizer]))
  const arena = new Arena(gpu)
  try {
    const rows = uploadMatrix(gpu, arena, gaussianRows(inDim), 'Gaussian rows')
    const recorder = new Recorder(gpu)
    const pending = [...distinct].map(([key, quantizer]) => {
      const rounded = quantizer && fakeQuantize(recorder, arena, rows, quantizer)
      return [key, rounded && operandErrorSums(recorder, arena, rows, rounded, quantizer)] as const
    })
    recorder.submit()
    const kappas = new Map<string, number>()
    for (const [key, sums] of pending) {
      const totals = sums && (await readOperandErrors(gpu, sums))
      kappas.set(key, totals ? totals.noiseEnergy / totals.signalEnergy : 0)
    }
    return quantizers.map((quantizer) => kappas.get(keyOf(quantizer)) ?? 0)
  } finally {
    arena.release()
  }
}

/**
 * The relative output error of a global rotation, before running it: χ √(κ_W + κ_X + κ_W κ_X) with
 * χ = ‖X‖ ‖W‖ / (√in ‖Y‖). Energies are sums of squares. docs/metrics.md, "Why a rotation hurts".
 */
export function rotationError(
  energies: { readonly x: number; readonly w: number; readonly y: number; readonly inDim: number },
  kappa: { readonly weight: number; readonly activation: number },
): { chi: number; error: number } {
  const chi = Math.sqrt((energies.x / energies.inDim) * (energies.w / energies.y))
  return { chi, error: chi * Math.sqrt(kappa.weight + kappa.activation + kappa.weight * kappa.activation) }
}
