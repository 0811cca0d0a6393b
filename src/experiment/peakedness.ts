import type { Quantizer } from '../formats/number-format'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { blockCrests, CREST_WORDS, crestSums, meanCrest } from '../gpu/kernels/block-crest'
import type { BlockWidth } from '../gpu/kernels/block-layout'
import { magnitudeMax } from '../gpu/kernels/magnitude-max'
import { decodeMoments, moments } from '../gpu/kernels/moments'
import { Recorder } from '../gpu/recorder'
import { readFloats, readWords } from '../gpu/transfer'
import { scaleBlock } from '../methods/channel-scaling/scale-block'

/** How far from flat a tensor is. */
export interface Peakedness {
  /** Fourth standardised moment of all elements: 3 for a Gaussian. NaN where all are equal. */
  readonly kurtosis: number
  /** Mean over blocks of max |x| / root mean square, blocks of zeros left out: 1 is flat. */
  readonly crest: number
}

/** Elements that share a scale under `quantizer`: whole rows for formats without one. */
function widthOf(quantizer: Quantizer): BlockWidth {
  return scaleBlock(quantizer) ?? 'row'
}

/** How far from flat `matrix` [rows, cols] is, in the blocks of `quantizer`. Elements must be finite. */
export async function peakedness(gpu: Gpu, matrix: GpuMatrix, quantizer: Quantizer): Promise<Peakedness> {
  const arena = new Arena(gpu)
  try {
    const recorder = new Recorder(gpu)
    const maximum = magnitudeMax(recorder, arena, matrix)
    const powers = moments(recorder, arena, matrix, maximum)
    const sums = crestSums(recorder, arena, blockCrests(recorder, arena, matrix, widthOf(quantizer)))
    recorder.submit()
    const [maxBits, partials, crests] = await Promise.all([
      readWords(gpu, maximum, 1),
      readFloats(gpu, powers.partials, powers.words),
      readFloats(gpu, sums, CREST_WORDS),
    ])
    return { kurtosis: decodeMoments(partials, powers, maxBits[0]).kurtosis, crest: meanCrest(crests) }
  } finally {
    arena.release()
  }
}
