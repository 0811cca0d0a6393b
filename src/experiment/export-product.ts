/** What the codes of an exported file multiply to, beside the number a comparison gives. */
import { FileError } from '../core/errors'
import type { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { outputErrorSums, readOutputErrors } from '../gpu/kernels/output-error-sums'
import type { PackedMatrix } from '../gpu/kernels/packed-matrix'
import { packedProduct } from '../gpu/kernels/packed-product'
import { Recorder } from '../gpu/recorder'
import { addCorrection } from '../methods/low-rank/correct-weight'
import type { LowRankCorrection } from '../methods/method'
import { outputErrors } from './metrics'
import type { OutputErrors } from './result'

/** Digits of an SQNR as tables print it, in dB. */
const PRINTED_DIGITS = 2

/** The rows a weight was fitted on, and what the product of Ŵ gave on them. */
export interface ExportRows {
  /** Y [tokens, out] */
  readonly reference: GpuMatrix
  /** X' [tokens, in] */
  readonly transformed: GpuMatrix
  /** X', clipped and rounded. */
  readonly rounded: GpuMatrix
  /** Of Ŷ as the decoded weight gives it. */
  readonly errors: OutputErrors
}

/** A weight as codes, and the branch beside it. */
export interface ExportCodes {
  readonly packed: PackedMatrix
  readonly correction: LowRankCorrection | null
}

const printed = ({ outputSqnrDb }: OutputErrors) => `${outputSqnrDb.toFixed(PRINTED_DIGITS)} dB`

/**
 * Multiplies the rounded rows with the codes of "name" and says in a sentence what output SQNR they give. Throws FileError
 * EX-04 when it is another than that of the weight they stand for, as printed: codes and weight are then not the same layer.
 */
export async function checkProduct(
  name: string,
  { packed, correction }: ExportCodes,
  { reference, transformed, rounded, errors }: ExportRows,
  { gpu, arena }: { readonly gpu: Gpu; readonly arena: Arena },
): Promise<string> {
  const recorder = new Recorder(gpu)
  // The way whose sums are those of the product of Ŵ, in their order: digits cannot differ by rounding.
  const product = packedProduct(recorder, arena, rounded, packed, 'decode-once')
  const x = correction?.input === 'quantized' ? rounded : transformed
  const estimate = correction ? addCorrection(recorder, arena, { product, x }, correction) : product
  const sums = outputErrorSums(recorder, arena, reference, estimate)
  recorder.submit()
  const found = printed(outputErrors(await readOutputErrors(gpu, sums), reference.rows))
  if (found !== printed(errors)) {
    throw new FileError(
      'EX-04',
      `export: "${name}": expected codes with an output SQNR of ${printed(errors)} on the calibration rows, found ${found}.`,
    )
  }
  return `"${name}": the codes as written, multiplied with the calibration rows, give an output SQNR of ${found}, as the weight does.`
}
