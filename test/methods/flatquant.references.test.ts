// FlatQuant through the whole comparison on the golden layers, against the errors of the official modules. Slow: `npm run references`.
// FLATQUANT_ONLY=layer-b:mx:W4A4 runs the cases whose name starts so.
import { afterAll, expect, test } from 'vitest'
import { againstRecorded, compareGolden, recordedLayers } from '../support/golden-comparison'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

/** The acceptance bar: trained methods stay within 2 % of the recorded errors, on both sets of rows. */
const BAR = 1.02

const SETTINGS = ['W8A8', 'W4A8', 'W4A4', 'W4A16']
const keys = [
  ...SETTINGS.map((setting) => `mx:${setting}`),
  ...SETTINGS.slice(1).map((setting) => `mxps:${setting}`),
  'int:W4A4',
  'int:W4A16',
]
const cases = ['layer-a', 'layer-b', 'layer-r'].flatMap((layer) => keys.map((key) => `${layer}:${key}`))
const wanted = cases.filter((name) => name.startsWith(process.env.FLATQUANT_ONLY ?? ''))
const lines: string[] = []

test.each(wanted)('%s', async (name) => {
  const layer = name.slice(0, name.indexOf(':'))
  const key = name.slice(layer.length + 1)
  const [result] = await compareGolden(t, { layer, key }, [{ id: 'flatquant' }])
  const { errors, ratios } = againstRecorded(result, recordedLayers[layer].results[key].flatquant_svd)
  lines.push(
    `${name.padEnd(20)} calibration / held-out ${errors.map((error) => error.toFixed(5)).join(' / ')} ` +
      `ratios ${ratios.map((ratio) => ratio.toFixed(3)).join(' ') || 'no reference'} ` +
      `start ${result.training?.losses[0].toFixed(5)} best step ${result.training?.bestStep} ${(result.elapsedMs / 1000).toFixed(0)} s`,
  )
  console.log(lines.at(-1), result.notes)
  for (const ratio of ratios) expect(ratio).toBeLessThanOrEqual(BAR)
})

afterAll(() => console.log(lines.join('\n')))
