import { describe, expect, it } from 'vitest'
import type { FigureSpec } from '../../src/figures/figure'
import { figureOptions } from '../../src/figures/options'
import { FIGURES } from '../../src/figures/registry'
import { FAILURE, TWO_SETTINGS, W4A4 } from './fixtures'

/** Four significant digits: the last bits of a logarithm may differ between engines. Rows of numbers on one line. */
function readable(figure: FigureSpec): string {
  const rounded = JSON.stringify(
    figure,
    (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value),
    1,
  )
  const oneLine = rounded.replace(
    /\[\s+((?:-?[\d.e+-]+|null|"[^"]*")(?:,\s+(?:-?[\d.e+-]+|null|"[^"]*"))*)\s+\]/g,
    (_, list) => `[${list.replace(/,\s+/g, ', ')}]`,
  )
  return `${oneLine}\n`
}

describe('figures of the fixture results are those that were reviewed', () => {
  for (const figure of FIGURES) {
    it(figure.id, async () => {
      const options = figureOptions(W4A4, { theme: 'light' })
      const drawn =
        figure.scope === 'tile' ? figure.build(W4A4[1], options) : figure.build([...TWO_SETTINGS, FAILURE], options)
      await expect(readable(drawn)).toMatchFileSnapshot(`./__saved__/${figure.id}.json`)
    })
  }
})
