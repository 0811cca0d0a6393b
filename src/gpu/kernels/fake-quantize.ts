import type { Quantizer } from '../../formats/number-format'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Recorder } from '../recorder'
import { fakeQuantizeE2m1, isE2m1Fast } from './fake-quantize-e2m1'
import { fakeQuantizeMx } from './fake-quantize-mx'

/**
 * `matrix` rounded to `quantizer`, as the f32 values a decoder would read back; picks the fastest kernel that gives
 * exactly these bits.
 *
 * Shapes: [rows, cols] -> [rows, cols]; blocks of quantizer.format.blockSize along cols, the last may be short.
 * Accuracy: bit-exact; magnitudes above the largest element saturate. Non-finite: the whole block becomes NaN.
 * Source: OCP Microscaling Formats (MX) v1.0, conversion; docs/formats.md.
 */
export function fakeQuantize(recorder: Recorder, arena: Arena, matrix: GpuMatrix, quantizer: Quantizer): GpuMatrix {
  if (isE2m1Fast(quantizer)) return fakeQuantizeE2m1(recorder, arena, matrix, quantizer)
  return fakeQuantizeMx(recorder, arena, matrix, quantizer)
}
