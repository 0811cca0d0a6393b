import { describe, expect, test } from 'vitest'
import { completeOptions, type OptionValues } from '../../src/core/options'
import { mxfp4 } from '../../src/formats/mxfp4'
import type { Quantizer } from '../../src/formats/number-format'
import { Arena } from '../../src/gpu/arena'
import { dequantize } from '../../src/gpu/kernels/dequantize'
import { Recorder } from '../../src/gpu/recorder'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import type { FitInput, Mitigation } from '../../src/methods/method'
import { MITIGATIONS } from '../../src/methods/registry'
import { identity } from '../../src/methods/transforms/identity'
import { MX_FORMATS, OTHER_QUANTIZERS, PRE_SCALES, quantizerName, standardMx } from '../support/every-quantizer'
import { gpuFixture } from '../support/gpu'
import { fitContext, gaussianMatrix } from '../support/method-fixture'

const t = gpuFixture()
const [ROWS, COLS] = [12, 128]

/** One of each kind: every MX element, all that choose a scale in another way, and the pre-scales. */
const QUANTIZERS: readonly Quantizer[] = [
  ...MX_FORMATS.map(standardMx),
  { ...standardMx(mxfp4), blockSize: 8 },
  { ...standardMx(mxfp4), blockSize: 128 },
  { ...standardMx(mxfp4), scaleRule: 'fp32' },
  { ...standardMx(mxfp4), scaleRule: 'best' },
  ...PRE_SCALES.slice(2, 6).map((preScale) => ({ ...standardMx(mxfp4), preScale })),
  ...OTHER_QUANTIZERS,
]

const VARIANTS: Readonly<Record<string, readonly OptionValues[]>> = {
  'round-to-nearest': [{}],
  gptq: [{}, { order: 'group-order' }, { scales: 'searched', order: 'act-order' }],
  'low-rank': [{ rank: 3 }, { rank: 3, branch: 'weight-first' }],
  'gptq+low-rank': [{ rank: 3, branch: 'weight-first' }],
}

const cases = MITIGATIONS.flatMap((mitigation) =>
  (VARIANTS[mitigation.id] ?? []).map((options) => [mitigation.id, options, mitigation] as const),
)

test('every mitigation is tried', () => {
  expect(MITIGATIONS.map(({ id }) => id).filter((id) => !(id in VARIANTS))).toEqual([])
})

/** What is left of memory that was given back: garbage. */
function scribble(recorder: Recorder): void {
  const arena = new Arena(t.gpu)
  for (let i = 0; i < 24; i++) uploadMatrix(t.gpu, arena, gaussianMatrix(ROWS, COLS, 90 + i), 'garbage')
  recorder.submit()
  arena.release()
}

async function packed(mitigation: Mitigation, given: OptionValues, quantizer: Quantizer) {
  const weight = uploadMatrix(t.gpu, t.arena, gaussianMatrix(ROWS, COLS, 3), 'weight')
  const calibration = uploadMatrix(t.gpu, t.arena, gaussianMatrix(160, COLS, 4), 'rows')
  const options = completeOptions({ id: mitigation.id, code: 'MD-03' }, mitigation.options, given)
  const config = { weight: quantizer, activation: null }
  const input: FitInput = { weight, calibration, reference: calibration, config, options, headDim: null }
  const context = fitContext(t, 1)
  const product = await mitigation.quantizeWeight(await identity.fit(input, context), input, context)
  scribble(new Recorder(t.gpu))
  const recorder = new Recorder(t.gpu)
  if (!product.pack) throw new Error('nothing to pack')
  const decoded = dequantize(recorder, t.arena, product.pack(recorder, t.arena))
  recorder.submit()
  const bits = async (matrix: typeof decoded) => new Uint32Array((await readMatrix(t.gpu, matrix)).data.buffer)
  return { decoded: await bits(decoded), weight: await bits(product.weight) }
}

/** Those whose scales lie in memory in another way. */
const FEW = QUANTIZERS.filter((quantizer) => {
  if (quantizer.family === 'mx') return quantizer.format.id === 'mxfp4' && quantizer.scaleRule === 'floor'
  return (
    quantizer.family !== 'sixteen-bit' &&
    ['null true', '32 asym'].some((kind) => quantizerName(quantizer).endsWith(kind))
  )
})

describe.each(cases)('%s %j', (id, options, mitigation) => {
  const tried = id === 'gptq' && Object.keys(options).length === 0 ? QUANTIZERS : FEW
  test.each(tried.map((quantizer) => [quantizerName(quantizer), quantizer] as const))(
    '%s: its codes decode to the weight it gives, bit for bit',
    async (_name, quantizer) => {
      const { decoded, weight } = await packed(mitigation, options, quantizer)
      expect(decoded).toEqual(weight)
    },
  )
})
